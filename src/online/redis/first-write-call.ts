import type {Command} from 'ioredis'
import {BulkStrings} from './bulk-strings.js'
import {GuardedWriteCall} from './guarded-write-call.js'
import {PackedCommand} from './packed-command.js'
import type {RowCall} from './row-call.js'

/**
 * Rows that most likely have no elder: one MSETNX, at half the cost of the script. Its reply is 1 where none of the keys
 * was there and all rows are now, 0 where nothing was done. Such rows live for ever.
 */
export class FirstWriteCall implements RowCall<number> {
  /** A key, its row, a key, its row. */
  readonly #pairs = new BulkStrings(8192)

  /** Copies what may be lent. */
  add(key: Buffer, row: Buffer): void {
    this.#pairs.add(key)
    this.#pairs.add(row)
  }

  toCommand(): Command {
    return new PackedCommand('msetnx', [], [this.#pairs])
  }

  /** A slot on its way to another node is the script's affair. */
  rowByRow(): Promise<number> {
    return Promise.resolve(0)
  }

  /** The same rows, where some have an elder. */
  guarded(): GuardedWriteCall {
    const call = new GuardedWriteCall()
    for (let at = 0; at < this.#pairs.count; at += 2) call.add(this.#pairs.at(at), this.#pairs.at(at + 1))
    return call
  }
}
