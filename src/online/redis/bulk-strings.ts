import {GrowingBytes} from '../growing-bytes.js'

/** Writes bytes behind those that are there. */
export interface BytesSource {
  appendTo(target: GrowingBytes, row: number): void
}

const [dollar, asterisk, carriageReturn, lineFeed, zero] = [0x24, 0x2a, 0x0d, 0x0a, 0x30]
/** `$`, the digits of any length that memory can hold, and two line ends. */
const frameBytes = 16
/** Room before the first string for what a command begins with. */
const headRoom = 96

/**
 * Byte strings as Redis frames them, `$<length>\r\n<bytes>\r\n`, one behind the other:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings
 */
export class BulkStrings {
  readonly #framed: GrowingBytes
  /** Of the length in the last frame: most often the next one has as many. */
  #digits = 1
  #count = 0

  /** It grows beyond the bytes that are expected. */
  constructor(expectedBytes = 1024) {
    this.#framed = new GrowingBytes(headRoom + expectedBytes)
    this.#framed.length = headRoom
  }

  get count(): number {
    return this.#count
  }

  /** Bytes with their frames. */
  get size(): number {
    return this.#framed.length - headRoom
  }

  /** Framed; holds until more is added. */
  get bytes(): Buffer {
    return this.#framed.written.subarray(headRoom)
  }

  /** The bytes behind some that come first; hold until more is added. */
  after(head: Buffer): Buffer {
    if (head.length > headRoom) return Buffer.concat([head, this.bytes])
    const start = headRoom - head.length
    this.#framed.bytes.set(head, start)
    return this.#framed.written.subarray(start)
  }

  /** Copies the first `count` of the bytes, which may be lent. */
  addBytes(bytes: Uint8Array, count: number): void {
    const target = this.#framed
    target.reserve(count + frameBytes)
    target.bytes[target.length] = dollar
    target.length = writeDecimal(target.bytes, target.length + 1, count)
    this.#endLine()
    target.append(bytes, count)
    this.#endLine()
    this.#count += 1
  }

  /** Copies strings that have their frames, and what a command of several begins with; `count` does not tell them. */
  addFramed(bytes: Buffer): void {
    this.#framed.append(bytes)
  }

  /** A row of the source, which is written where it stays. */
  addRow(source: BytesSource, row: number): void {
    const target = this.#framed
    target.reserve(frameBytes)
    const start = target.length
    const expected = start + this.#digits + 3
    target.length = expected
    source.appendTo(target, row)
    const count = target.length - expected
    this.#digits = digitsOf(count)
    const from = start + this.#digits + 3
    target.reserve(frameBytes)
    if (from !== expected) target.bytes.copyWithin(from, expected, target.length)
    target.bytes[start] = dollar
    target.length = writeDecimal(target.bytes, start + 1, count)
    this.#endLine()
    target.length = from + count
    this.#endLine()
    this.#count += 1
  }

  /** A whole number of 0 and more, as text. */
  addNumber(value: number): void {
    const target = this.#framed
    target.reserve(2 * frameBytes)
    target.bytes[target.length] = dollar
    target.length = writeDecimal(target.bytes, target.length + 1, digitsOf(value))
    this.#endLine()
    target.length = writeDecimal(target.bytes, target.length, value)
    this.#endLine()
    this.#count += 1
  }

  /** Without their frames; they hold until more is added. */
  *[Symbol.iterator](): Generator<Buffer, void, undefined> {
    const bytes = this.bytes
    for (let at = 0; at < bytes.length;) {
      const lineEnd = bytes.indexOf(carriageReturn, at)
      if (bytes[at] === asterisk) {
        at = lineEnd + 2
        continue
      }
      const start = lineEnd + 2
      const end = start + Number(bytes.toString('latin1', at + 1, lineEnd))
      yield bytes.subarray(start, end)
      at = end + 2
    }
  }

  /** There must be room. */
  #endLine(): void {
    const target = this.#framed
    target.bytes[target.length] = carriageReturn
    target.bytes[target.length + 1] = lineFeed
    target.length += 2
  }
}

function digitsOf(value: number): number {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits += 1
  return digits
}

/** Digits from the left; returns where they end. */
function writeDecimal(target: Buffer, start: number, value: number): number {
  const end = start + digitsOf(value)
  let rest = value
  for (let at = end - 1; at >= start; at -= 1) {
    const next = Math.floor(rest / 10)
    target[at] = zero + (rest - next * 10)
    rest = next
  }
  return end
}
