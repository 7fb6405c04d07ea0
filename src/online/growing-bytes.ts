import {dataViewOf} from './data-view.js'

/** Below that many bytes a loop is faster than a call that copies. */
const shortCopy = 64

/** Bytes under construction: they grow, and their memory is used again for the next ones. */
export class GrowingBytes {
  /** More than what is written; replaced when it grows. */
  bytes: Buffer
  /** Of `bytes`. */
  view: DataView
  length = 0

  constructor(expectedBytes = 256) {
    this.bytes = Buffer.allocUnsafe(expectedBytes)
    this.view = dataViewOf(this.bytes)
  }

  /** Lent: holds until more is written. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
    this.view = dataViewOf(larger)
  }

  /** Copies the first `count` of the bytes. */
  append(source: Uint8Array, count = source.length): void {
    this.reserve(count)
    const {bytes, length} = this
    if (count < shortCopy) for (let at = 0; at < count; at += 1) bytes[length + at] = source[at] as number
    else bytes.set(count === source.length ? source : source.subarray(0, count), length)
    this.length += count
  }
}
