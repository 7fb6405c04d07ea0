import {Command} from 'ioredis'

/**
 * Rows for one call of the script, put into the bytes that Redis reads as they come: each is copied once, where a client
 * library makes some objects for each argument. Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export class RowBatch {
  readonly #keys = new BulkStrings()
  readonly #values = new BulkStrings()
  readonly #lives = new BulkStrings()
  readonly #known = new Set<string>()

  /**
   * `life`: milliseconds until the row expires; all rows of a batch have one, or none has. False, and nothing done, for a
   * key that is in the batch already.
   */
  add(key: Buffer, value: Buffer, life: string | undefined): boolean {
    const text = key.toString('latin1')
    if (this.#known.has(text)) return false
    this.#known.add(text)
    this.#keys.add(key)
    this.#values.add(value)
    if (life !== undefined) this.#lives.add(Buffer.from(life))
    return true
  }

  get size(): number {
    return this.#keys.count
  }

  get keys(): readonly Buffer[] {
    return Array.from({length: this.size}, (_, place) => this.#keys.at(place))
  }

  /** `EVALSHA sha`, ready to be sent; resolves to what the script returns. */
  toCommand(sha: string): Command {
    const count = String(this.size)
    const parts = 3 + this.size + this.#values.count + this.#lives.count
    const head = `*${parts}\r\n$7\r\nEVALSHA\r\n$${sha.length}\r\n${sha}\r\n$${count.length}\r\n${count}\r\n`
    const bytes = [Buffer.from(head), this.#keys.bytes, this.#values.bytes, this.#lives.bytes]
    return new PackedCommand('evalsha', Buffer.concat(bytes))
  }

  /** The arguments of EVALSHA for some of the rows. */
  argumentsOf(sha: string, places: readonly number[]): [string, number, ...Buffer[]] {
    const lists = [this.#keys, this.#values, ...(this.#lives.count === 0 ? [] : [this.#lives])]
    return [sha, places.length, ...lists.flatMap((list) => places.map((place) => list.at(place)))]
  }
}

/** Sends bytes that are there already; replies, time limits and TLS stay the client's. */
class PackedCommand extends Command {
  readonly #bytes: Buffer

  constructor(name: string, bytes: Buffer) {
    super(name, [], {replyEncoding: 'utf8'})
    this.#bytes = bytes
  }

  override toWritable(): Buffer {
    return this.#bytes
  }
}

/** Byte strings as Redis frames them, `$<length>\r\n<bytes>\r\n`, one behind the other. */
class BulkStrings {
  #buffer = Buffer.allocUnsafe(16_384)
  #end = 0
  readonly #starts: number[] = []
  readonly #lengths: number[] = []

  get count(): number {
    return this.#starts.length
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  add(bytes: Buffer): void {
    const {length} = bytes
    this.#reserve(length + 16)
    const buffer = this.#buffer
    let at = this.#end
    buffer[at] = 0x24
    at = writeDecimal(buffer, at + 1, length)
    buffer[at] = 0x0d
    buffer[at + 1] = 0x0a
    at += 2
    buffer.set(bytes, at)
    this.#starts.push(at)
    this.#lengths.push(length)
    at += length
    buffer[at] = 0x0d
    buffer[at + 1] = 0x0a
    this.#end = at + 2
  }

  /** Holds until more is added. */
  at(place: number): Buffer {
    const start = this.#starts[place] ?? 0
    return this.#buffer.subarray(start, start + (this.#lengths[place] ?? 0))
  }

  #reserve(count: number): void {
    const wanted = this.#end + count
    if (wanted <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#end)
    this.#buffer = larger
  }
}

/** Digits from the left; returns where they end. */
function writeDecimal(target: Buffer, start: number, value: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : String(value).length
  let rest = value
  for (let at = start + digits - 1; at >= start; at -= 1) {
    target[at] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return start + digits
}
