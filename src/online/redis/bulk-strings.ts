/**
 * Byte strings as Redis frames them, `$<length>\r\n<bytes>\r\n`, one behind the other:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings
 */
export class BulkStrings {
  #buffer: Buffer
  #end = 0
  readonly #starts: number[] = []
  readonly #lengths: number[] = []

  /** It grows beyond the bytes that are expected. */
  constructor(expectedBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(expectedBytes)
  }

  get count(): number {
    return this.#starts.length
  }

  /** Framed; holds until more is added. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  /** Copies the bytes, which may be lent. */
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

  /** Without its frame; holds until more is added. */
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
