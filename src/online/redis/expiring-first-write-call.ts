import type {Redis} from 'ioredis'
import {BulkStrings, type BytesSource} from './bulk-strings.js'
import {GuardedWriteCall, type WriteCall, type WriteReply, type WrittenRow} from './guarded-write-call.js'
import {PackedPipeline} from './packed-pipeline.js'
import type {RowKey} from './redis-keys.js'

const commandStart = Buffer.from('*6\r\n$3\r\nSET\r\n')
const ifAbsentFor = Buffer.from('$2\r\nNX\r\n$2\r\nPX\r\n')
/** SET, key, row, NX, PX, life. */
const stringsOfRow = 6

/**
 * Rows that most likely have no elder and expire: a SET of each where the key is not there, at six tenths of the script's
 * cost to the server. No command sets many keys that expire.
 */
export class ExpiringFirstWriteCall implements WriteCall {
  readonly #commands: BulkStrings
  #rowCount = 0

  constructor(expectedBytes: number) {
    this.#commands = new BulkStrings(expectedBytes)
  }

  get rowCount(): number {
    return this.#rowCount
  }

  get size(): number {
    return this.#commands.size
  }

  add(key: RowKey, source: BytesSource, row: number, life: number): void {
    this.#commands.addFramed(commandStart)
    this.#commands.addBytes(key.bytes, key.length)
    this.#commands.addRow(source, row)
    this.#commands.addFramed(ifAbsentFor)
    this.#commands.addNumber(life)
    this.#rowCount += 1
  }

  async sendTo(node: Redis): Promise<WriteReply> {
    const {bytes} = this.#commands
    const refused = new Set(await new PackedPipeline('set', bytes, this.#rowCount).sendTo(node))
    return refused.size === 0 ? {unchanged: 0, met: 0} : this.#leftToScript(refused)
  }

  /** A slot on its way to another node is the script's affair. */
  rowByRow(): Promise<WriteReply> {
    return Promise.resolve(this.#leftToScript())
  }

  /** All rows, or only those at some places. */
  #leftToScript(places?: ReadonlySet<number>): WriteReply {
    const share = places === undefined ? 1 : places.size / this.#rowCount
    const expectedBytes = Math.ceil(share * this.size)
    return {unchanged: 0, met: 0, rest: GuardedWriteCall.of(this.#written(places), expectedBytes)}
  }

  *#written(places?: ReadonlySet<number>): Generator<WrittenRow> {
    const strings = [...this.#commands]
    for (let row = 0; row < this.#rowCount; row += 1) {
      if (places?.has(row) === false) continue
      const at = row * stringsOfRow
      yield {key: strings[at + 1] as Buffer, row: strings[at + 2] as Buffer, life: strings[at + 5]}
    }
  }
}
