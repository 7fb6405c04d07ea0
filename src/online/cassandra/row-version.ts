import {randomBytes} from 'node:crypto'
import type {OnlineRows} from '../online-store.js'

type Times = Pick<OnlineRows, 'eventTimestamps' | 'createdTimestamps'>

const signBit = 1n << 63n
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
 *   17..24  microseconds of the writer's clock, each later than the one before
 *   25..30  the writer, at random
 */
export class RowVersions {
  readonly #writer = randomBytes(versionBytes - writerAt)
  readonly #clockMicros: () => bigint
  #last = 0n

  /** `clockMicros` tells the time since 1970. */
  constructor(clockMicros: () => bigint) {
    this.#clockMicros = clockMicros
  }

  /** The version of a row that is written now. */
  next(rows: Times, row: number): Buffer {
    const version = Buffer.alloc(versionBytes)
    writeTimes(version, rows, row)
    const now = this.#clockMicros()
    this.#last = now > this.#last ? now : this.#last + 1n
    version.writeBigUInt64BE(this.#last, clockAt)
    this.#writer.copy(version, writerAt)
    return version
  }
}

/** The greatest version that a row with these times can have. */
export function lastVersionAt(rows: Times, row: number): Buffer {
  const version = Buffer.alloc(versionBytes, 0xff)
  version.fill(0, 0, clockAt)
  writeTimes(version, rows, row)
  return version
}

function writeTimes(version: Buffer, {eventTimestamps, createdTimestamps}: Times, row: number): void {
  version.writeBigUInt64BE(flipped(eventTimestamps.values[row] as bigint), eventAt)
  if (createdTimestamps.nulls?.[row] === 1) return
  version[createdAt] = 1
  version.writeBigUInt64BE(flipped(createdTimestamps.values[row] as bigint), createdAt + 1)
}

/** Compares the times of two versions, however they were written: below 0 where the first is older. */
export function compareTimes(version: Buffer, other: Buffer): number {
  return version.compare(other, 0, clockAt, 0, clockAt)
}

function flipped(time: bigint): bigint {
  return BigInt.asUintN(64, time ^ signBit)
}
