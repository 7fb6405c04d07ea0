import {createHash} from 'node:crypto'
import type {Cluster, Redis} from 'ioredis'
import {BulkStrings, type BytesSource} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
import type {RowKey} from './redis-keys.js'
import type {RowCall} from './row-call.js'
import {guardedWrite} from './scripts.js'

/** Of rows to write, each unless a newer one is there. */
export interface WriteReply {
  /** How many rows left the store as it was. */
  readonly unchanged: number
  /** How many keys had a row. */
  readonly met: number
  /** What is still to be written; the call itself is done. */
  readonly rest?: GuardedWriteCall
}

export interface WriteCall extends RowCall<WriteReply> {
  readonly rowCount: number
  /** Bytes of its keys and rows, about. */
  readonly size: number

  /** Copies what may be lent. `life`: milliseconds until the row expires; all rows of a call have one, or none has. */
  add(key: RowKey, source: BytesSource, row: number, life?: number): void
}

const sha = createHash('sha1').update(guardedWrite).digest('hex')

/** A row that is written already, as bytes. `life`: the number of milliseconds as text. */
export interface WrittenRow {
  readonly key: Buffer
  readonly row: Buffer
  readonly life?: Buffer | undefined
}

/** Rows for one call of the script that keeps newer ones. It leaves no rest. */
export class GuardedWriteCall implements WriteCall {
  readonly #keys = new BulkStrings()
  readonly #rows: BulkStrings
  readonly #lives = new BulkStrings()

  constructor(expectedBytes?: number) {
    this.#rows = new BulkStrings(expectedBytes)
  }

  static of(rows: Iterable<WrittenRow>, expectedBytes?: number): GuardedWriteCall {
    const call = new GuardedWriteCall(expectedBytes)
    for (const {key, row, life} of rows) {
      call.#keys.addBytes(key, key.length)
      call.#rows.addBytes(row, row.length)
      if (life !== undefined) call.#lives.addBytes(life, life.length)
    }
    return call
  }

  get rowCount(): number {
    return this.#keys.count
  }

  get size(): number {
    return this.#keys.size + this.#rows.size
  }

  add(key: RowKey, source: BytesSource, row: number, life?: number): void {
    this.#keys.addBytes(key.bytes, key.length)
    this.#rows.addRow(source, row)
    if (life !== undefined) this.#lives.addNumber(life)
  }

  async sendTo(node: Redis): Promise<WriteReply> {
    const head = [sha, String(this.#keys.count)]
    const lists = [this.#keys, this.#rows, this.#lives]
    return replyOf(await node.sendCommand(new PackedCommand('evalsha', head, lists)))
  }

  async rowByRow(client: Cluster): Promise<WriteReply> {
    const lists = [this.#rows, this.#lives].filter(({count}) => count > 0).map((list) => [...list])
    const replies = await Promise.all(
      Array.from(this.#keys, (key, at) =>
        client.evalsha(sha, 1, key, ...lists.map((list) => list[at] as Buffer)),
      ),
    )
    return replies.map(replyOf).reduce((sum, {unchanged, met}) => ({
      unchanged: sum.unchanged + unchanged,
      met: sum.met + met,
    }))
  }
}

function replyOf(reply: unknown): WriteReply {
  const [unchanged, met] = reply as readonly [number, number]
  return {unchanged, met}
}
