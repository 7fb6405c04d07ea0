import {randomBytes} from 'node:crypto'
import type {OnlineRows} from '../online-store.js'

type Times = Pick<OnlineRows, 'eventTimestamps' | 'createdTimestamps'>

const signBit = 0x80
const eventAt = 0
const createdAt = 8
const clockAt = 17
const writerAt = 25
const versionBytes = 31

/**
 * Versions of rows: bytes that compare as rows follow one another. The newest by (event timestamp, created timestamp) is
 * the greatest, where no created timestamp is older than any; of rows equal in both, the one that was written last. No
 * two writes ever make the same one, so cells of two writes never meet in one row.
 *
 *   0..7    event timestamp, big-endian, the sign bit flipped
 *   8       1 = has a created timestamp
 *   9..16   created timestamp, as the event timestamp
 *   17..24  microseconds of the store's clock, each later than the one before
 *   25..30  the writer, at random
 */
export class RowVersions {
  readonly #writer = randomBytes(versionBytes - writerAt)
  readonly #clockMicros: () => bigint
  #last = 0n

  /** `clockMicros` tells the time since 1970, the same to all who write. */
  constructor(clockMicros: () => bigint) {
    this.#clockMicros = clockMicros
  }

  /** The versions of rows that are written now, in one buffer; `versionAt` gives each. */
  ofRows(rows: OnlineRows): Buffer {
    const {rowCount} = rows
    const versions = Buffer.alloc(rowCount * versionBytes)
    const view = new DataView(versions.buffer, versions.byteOffset)
    for (let row = 0, at = 0; row < rowCount; row += 1, at += versionBytes) {
      writeTimes(versions, view, at, rows, row)
      const now = this.#clockMicros()
      this.#last = now > this.#last ? now : this.#last + 1n
      view.setBigInt64(at + clockAt, this.#last)
      versions.set(this.#writer, at + writerAt)
    }
    return versions
  }
}

/** The greatest version that a row with these times can have. */
export function lastVersionAt(rows: Times, row: number): Buffer {
  const version = Buffer.alloc(versionBytes, 0xff)
  version.fill(0, 0, clockAt)
  writeTimes(version, new DataView(version.buffer, version.byteOffset), 0, rows, row)
  return version
}

function writeTimes(
  versions: Buffer,
  view: DataView,
  at: number,
  {eventTimestamps, createdTimestamps}: Times,
  row: number,
): void {
  view.setBigInt64(at + eventAt, eventTimestamps.values[row] as bigint)
  flipSign(versions, at + eventAt)
  if (createdTimestamps.nulls?.[row] === 1) return
  versions[at + createdAt] = 1
  view.setBigInt64(at + createdAt + 1, createdTimestamps.values[row] as bigint)
  flipSign(versions, at + createdAt + 1)
}

/** The version of one row of those that `RowVersions` made. */
export function versionAt(versions: Buffer, row: number): Buffer {
  return versions.subarray(row * versionBytes, (row + 1) * versionBytes)
}

/** Compares the times of two versions, however they were written: below 0 where the first is older. */
export function compareTimes(version: Buffer, other: Buffer): number {
  return version.compare(other, 0, clockAt, 0, clockAt)
}

/** So that bytes compare as signed numbers do. */
function flipSign(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] as number) ^ signBit
}
