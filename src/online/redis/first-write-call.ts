import type {Redis} from 'ioredis'
import {BulkStrings, type BytesSource} from './bulk-strings.js'
import {GuardedWriteCall, type WriteCall, type WriteReply, type WrittenRow} from './guarded-write-call.js'
import {PackedCommand} from './packed-command.js'
import type {RowKey} from './redis-keys.js'

/**
 * Rows that most likely have no elder and live for ever: one MSETNX, at half the cost of the script. Its reply is 1 where
 * none of the keys was there and all rows are now, 0 where nothing was done.
 */
export class FirstWriteCall implements WriteCall {
  /** A key, its row, a key, its row. */
  readonly #pairs: BulkStrings

  constructor(expectedBytes: number) {
    this.#pairs = new BulkStrings(expectedBytes)
  }

  get rowCount(): number {
    return this.#pairs.count / 2
  }

  get size(): number {
    return this.#pairs.size
  }

  add(key: RowKey, source: BytesSource, row: number): void {
    this.#pairs.addBytes(key.bytes, key.length)
    this.#pairs.addRow(source, row)
  }

  async sendTo(node: Redis): Promise<WriteReply> {
    const wereSet = await node.sendCommand(new PackedCommand('msetnx', [], [this.#pairs]))
    return wereSet === 1 ? {unchanged: 0, met: 0} : this.#leftToScript()
  }

  /** A slot on its way to another node is the script's affair. */
  rowByRow(): Promise<WriteReply> {
    return Promise.resolve(this.#leftToScript())
  }

  #leftToScript(): WriteReply {
    return {unchanged: 0, met: 0, rest: GuardedWriteCall.of(this.#written(), this.size)}
  }

  *#written(): Generator<WrittenRow> {
    const strings = [...this.#pairs]
    for (let at = 0; at < strings.length; at += 2)
      yield {key: strings[at] as Buffer, row: strings[at + 1] as Buffer}
  }
}
