import type {Instant} from '../definitions/instant.js'

const second = 1_000_000n
const largestBatch = 100

/**
 * Spreads reads evenly over time, in batches so small that no moment has more than its share. It only calculates: who
 * reads waits as long as it says.
 */
export class ReadPace {
  /** Keys to read at once. */
  readonly batchSize: number
  readonly #keysPerSecond: number
  #freeAt: Instant | undefined

  constructor(keysPerSecond: number) {
    this.#keysPerSecond = keysPerSecond
    this.batchSize = Math.min(largestBatch, Math.max(1, Math.floor(keysPerSecond / 100)))
  }

  /** How long to wait, in microseconds, before reading so many keys, which count as read from then on. */
  delayBefore(keys: number, now: Instant): bigint {
    const due = this.#freeAt
    const free = due === undefined || due < now ? now : due
    // A clock that was put back must not stop the reads.
    const at = free > now + second ? now + second : free
    this.#freeAt = at + BigInt(Math.ceil((keys * Number(second)) / this.#keysPerSecond))
    return at - now
  }
}
