import {createHash} from 'node:crypto'
import type {Cluster, Command} from 'ioredis'
import {BulkStrings} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
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
  readonly #rows = new BulkStrings(8192)
  readonly #lives = new BulkStrings()

  /** `first`: rows that most likely have no elder; they all expire. */
  constructor(kind: 'guarded' | 'first' = 'guarded') {
    this.#sha = shas[kind]
  }

  /** Copies what may be lent. `life`: milliseconds until the row expires; all rows of a call have one, or none has. */
  add(key: Buffer, row: Buffer, life?: string): void {
    this.#keys.add(key)
    this.#rows.add(row)
    if (life !== undefined) this.#lives.add(Buffer.from(life))
  }

  toCommand(): Command {
    return new PackedCommand(
      'evalsha',
      [this.#sha, String(this.#keys.count)],
      [this.#keys, this.#rows, this.#lives],
    )
  }

  async rowByRow(client: Cluster): Promise<GuardedReply> {
    const lists = this.#lives.count === 0 ? [this.#rows] : [this.#rows, this.#lives]
    const replies = await Promise.all(
      Array.from({length: this.#keys.count}, (_, at) =>
        client.evalsha(this.#sha, 1, this.#keys.at(at), ...lists.map((list) => list.at(at))),
      ),
    )
    return (replies as GuardedReply[]).reduce<GuardedReply>(
      ([unchanged, met], [one, other]) => [unchanged + one, met + other],
      [0, 0],
    )
  }
}
