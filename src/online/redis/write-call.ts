import {createHash} from 'node:crypto'
import type {Cluster, Command} from 'ioredis'
import {BulkStrings} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
import type {RowCall} from './row-call.js'
import {guardedWrite} from './scripts.js'

/** Enough to be fast, few enough not to keep others waiting, nor to overflow the stack of Lua, which takes 8,000 values. */
const mostRows = 500
const sha = createHash('sha1').update(guardedWrite).digest('hex')

/** Rows for one call of the script `guardedWrite`. */
export class WriteCall implements RowCall<number> {
  readonly #keys = new BulkStrings()
  readonly #rows = new BulkStrings()
  readonly #lives = new BulkStrings()
  readonly #known = new Set<string>()

  /**
   * `life`: milliseconds until the row expires; all rows of a call have one, or none has. False, and nothing done, where
   * the call is full or has the key already.
   */
  add(key: Buffer, row: Buffer, life: string | undefined): boolean {
    const text = key.toString('latin1')
    if (this.#known.size >= mostRows || this.#known.has(text)) return false
    this.#known.add(text)
    this.#keys.add(key)
    this.#rows.add(row)
    if (life !== undefined) this.#lives.add(Buffer.from(life))
    return true
  }

  /** Its reply is how many rows left the store as it was. */
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
