import {createHash} from 'node:crypto'
import type {Cluster, Command} from 'ioredis'
import {BulkStrings, type BytesSource} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
import type {RowKey} from './redis-keys.js'
import type {RowCall} from './row-call.js'
import {firstWrite, guardedWrite} from './scripts.js'

/** How many rows left the store as it was, and how many keys had a row. */
export type GuardedReply = readonly [unchanged: number, met: number]

const shaOf = (script: string): string => createHash('sha1').update(script).digest('hex')
const shas = {guarded: shaOf(guardedWrite), first: shaOf(firstWrite)} as const

/** Rows for one call of a script that keeps newer ones. */
export class GuardedWriteCall implements RowCall<GuardedReply> {
  readonly #sha: string
  readonly #keys = new BulkStrings()
  readonly #rows: BulkStrings
  readonly #lives = new BulkStrings()

  /** `first`: rows that most likely have no elder; they all expire. */
  constructor(kind: 'guarded' | 'first', expectedBytes: number) {
    this.#sha = shas[kind]
    this.#rows = new BulkStrings(expectedBytes)
  }

  /** Of rows that live for ever: a key, its row, a key, its row. */
  static ofPairs(pairs: BulkStrings): GuardedWriteCall {
    const call = new GuardedWriteCall('guarded', pairs.size)
    let isKey = true
    for (const bytes of pairs) {
      const list = isKey ? call.#keys : call.#rows
      list.addBytes(bytes, bytes.length)
      isKey = !isKey
    }
    return call
  }

  /** Bytes of its keys and rows. */
  get size(): number {
    return this.#keys.size + this.#rows.size
  }

  /** Copies what may be lent. `life`: milliseconds until the row expires; all rows of a call have one, or none has. */
  add(key: RowKey, source: BytesSource, row: number, life?: number): void {
    this.#keys.addBytes(key.bytes, key.length)
    this.#rows.addRow(source, row)
    if (life !== undefined) this.#lives.addNumber(life)
  }

  toCommand(): Command {
    return new PackedCommand(
      'evalsha',
      [this.#sha, String(this.#keys.count)],
      [this.#keys, this.#rows, this.#lives],
    )
  }

  async rowByRow(client: Cluster): Promise<GuardedReply> {
    const lists = [this.#rows, this.#lives].filter(({count}) => count > 0).map((list) => [...list])
    const replies = await Promise.all(
      Array.from(this.#keys, (key, at) =>
        client.evalsha(this.#sha, 1, key, ...lists.map((list) => list[at] as Buffer)),
      ),
    )
    return (replies as GuardedReply[]).reduce<GuardedReply>(
      ([unchanged, met], [one, other]) => [unchanged + one, met + other],
      [0, 0],
    )
  }
}
