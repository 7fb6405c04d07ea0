import {createHash} from 'node:crypto'
import type {Cluster, Command} from 'ioredis'
import {BulkStrings} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
import type {RowCall} from './row-call.js'
import {guardedWrite} from './scripts.js'

const sha = createHash('sha1').update(guardedWrite).digest('hex')

/** Rows for one call of the script `guardedWrite`, whose reply is how many of them left the store as it was. */
export class GuardedWriteCall implements RowCall<number> {
  readonly #keys = new BulkStrings()
  readonly #rows = new BulkStrings(8192)
  readonly #lives = new BulkStrings()

  /** Copies what may be lent. `life`: milliseconds until the row expires; all rows of a call have one, or none has. */
  add(key: Buffer, row: Buffer, life?: string): void {
    this.#keys.add(key)
    this.#rows.add(row)
    if (life !== undefined) this.#lives.add(Buffer.from(life))
  }

  toCommand(): Command {
    return new PackedCommand(
      'evalsha',
      [sha, String(this.#keys.count)],
      [this.#keys, this.#rows, this.#lives],
    )
  }

  async rowByRow(client: Cluster): Promise<number> {
    const lists = this.#lives.count === 0 ? [this.#rows] : [this.#rows, this.#lives]
    const replies = await Promise.all(
      Array.from({length: this.#keys.count}, (_, at) =>
        client.evalsha(sha, 1, this.#keys.at(at), ...lists.map((list) => list.at(at))),
      ),
    )
    return replies.reduce<number>((sum, unchanged) => sum + Number(unchanged), 0)
  }
}
