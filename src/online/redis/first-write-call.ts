import type {Command} from 'ioredis'
import {BulkStrings, type BytesSource} from './bulk-strings.js'
import {GuardedWriteCall} from './guarded-write-call.js'
import {PackedCommand} from './packed-command.js'
import type {RowKey} from './redis-keys.js'
import type {RowCall} from './row-call.js'

/**
 * Rows that most likely have no elder: one MSETNX, at half the cost of the script. Its reply is 1 where none of the keys
 * was there and all rows are now, 0 where nothing was done. Such rows live for ever.
 */
export class FirstWriteCall implements RowCall<number> {
  /** A key, its row, a key, its row. */
  readonly #pairs: BulkStrings

  constructor(expectedBytes: number) {
    this.#pairs = new BulkStrings(expectedBytes)
  }

  /** Bytes of its keys and rows. */
  get size(): number {
    return this.#pairs.size
  }

  /** Copies what may be lent. */
  add(key: RowKey, source: BytesSource, row: number): void {
    this.#pairs.addBytes(key.bytes, key.length)
    this.#pairs.addRow(source, row)
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
    return GuardedWriteCall.ofPairs(this.#pairs)
  }
}
