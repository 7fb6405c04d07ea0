/**
 * Finds out what a store bears, and keeps to it: down at once, up slowly.
 *
 * - Requests in flight are as many as bring the most rows a second (`ConcurrencySearch`).
 * - Refusals set a rate, just below what the store took in the last moments; from there it grows, first by some percent a
 *   second and then faster, until the next refusal, as CUBIC does (RFC 9438). Halving it instead would lose a quarter of
 *   what a store that throttles takes.
 * - While reads of the store, tried all the time, take longer than the target, both shrink (`ReadCourtesy`).
 */
import {ConcurrencySearch} from './concurrency-search.js'
import type {PacingPolicy} from './load-pacer.js'
import {ReadCourtesy} from './read-courtesy.js'
import {RecentRate} from './recent-rate.js'
import type {WriteLimits} from './write-limits.js'
import type {RefusalCause} from './write-pacer.js'

/** Refusals within this time were sent at one rate. */
const reactionMillis = 200
/** Share of what the store took that is asked of it after a refusal. */
const shareAfterRefusal = 0.97
const concurrencyAfterRefusal = 0.7
const restAfterRefusalMillis = 1000
const firstGrowthPerSecond = 0.04
/** Time after which growth without refusals is twice as fast. */
const growthDoublesMillis = 2000
const fastestGrowthPerSecond = 0.5
/** How fast a store takes rows shows after this long. */
const evidenceMillis = 500
/** The first refusal may have come before the load had begun in earnest: until the next one, it grows as fast as this. */
const growthUntilKnown = 1
/** Above this, an acknowledged rate is bounded by the store's limit and not by what there is to send. */
const nearLimit = 0.9
/** The same while the rate grows so fast that what was taken in the last second lags behind. */
const nearLimitUntilKnown = 0.5
const slowestRowsPerSecond = 50
/** A reader gets through again a little later than the load does. */
const readsReturnMillis = 2000
/** What a load is taken to do before it has begun in earnest: the servers warm up, and so does this process. */
const firstUsualRate = 1000
/** What the load did in its best moments is forgotten by so much in a second. */
const usualFadesPerSecond = 0.1

export class AdaptivePacing implements PacingPolicy {
  readonly #limits: WriteLimits
  readonly #now: () => number
  readonly #recent: RecentRate
  readonly #search: ConcurrencySearch
  #courtesy: ReadCourtesy | undefined
  /** What the store was found to take, whoever reads meanwhile. */
  #rate: number
  /** What the load does where it need not yield. */
  #usualRate = firstUsualRate
  #usualAt: number
  readonly #beganAt: number
  #refusedAt = -Infinity
  /** When the store was last found not to be there. */
  #goneAt = -Infinity
  #hasRateGrown = false
  /** Whether the store refused what the rate had grown to. */
  #isRateKnown = false
  #reactedAt = -Infinity
  #grownAt: number

  constructor(limits: WriteLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
    this.#rate = limits.maxWritesPerSecond ?? Infinity
    this.#beganAt = now()
    this.#grownAt = now()
    this.#usualAt = now()
    this.#recent = new RecentRate(now)
    this.#search = new ConcurrencySearch(limits.maxConcurrency, now)
  }

  get concurrency(): number {
    return Math.max(1, this.#search.concurrency * this.#share)
  }

  get rowsPerSecond(): number {
    if (this.#share === 1) return this.#rate
    return Math.max(slowestRowsPerSecond, Math.min(this.#rate, this.#usualRate) * this.#share)
  }

  onAcknowledged(rows: number): void {
    this.#recent.add(rows)
    const now = this.#now()
    if (this.#share < 1) {
      this.#search.forget()
      return
    }
    this.#noteUsual(now)
    this.#growRate(now)
    this.#search.onAcknowledged(rows)
  }

  onRefused(cause: RefusalCause): void {
    const now = this.#now()
    // One that is silent is not there either.
    const isGone =
      cause === 'connection' || cause === 'unavailable' || (this.#isBegun(now) && this.#taken() === 0)
    if (isGone) this.#goneAt = now
    if (now - this.#reactedAt >= reactionMillis) {
      this.#reactedAt = now
      // A store that is not there says nothing of what it bears, and begins again with empty hands.
      if (isGone) this.#search.restart()
      else this.#slowDown(cause, now)
    }
    this.#refusedAt = now
    this.#grownAt = now
  }

  onHeldBack(by: 'concurrency' | 'rate'): void {
    if (by === 'concurrency') this.#search.onUsedUp()
  }

  /** From now on the load yields to reads. `before`: what some took before it began, in milliseconds. */
  yieldToReads(targetMillis: number, before: readonly number[]): void {
    this.#courtesy = new ReadCourtesy(targetMillis, this.#now, before)
  }

  onRead(millis: number): void {
    // It is not the load that slows reads of a store that is not there.
    if (this.#now() - this.#goneAt >= readsReturnMillis) this.#courtesy?.add(millis)
  }

  get #share(): number {
    return this.#courtesy?.share ?? 1
  }

  #slowDown(cause: 'timeout' | 'overloaded', now: number): void {
    const isBegun = this.#isBegun(now)
    if (isBegun)
      this.#rate = Math.max(slowestRowsPerSecond, Math.min(this.#rate, this.#taken() * shareAfterRefusal))
    this.#isRateKnown ||= this.#hasRateGrown
    // Who has no room for what waits needs fewer that wait, and not only a slower pace.
    if (!isBegun || cause === 'overloaded') this.#search.cut(concurrencyAfterRefusal)
    else this.#search.forget()
  }

  #isBegun(now: number): boolean {
    return now - this.#beganAt >= evidenceMillis
  }

  #taken(): number {
    return this.#recent.rowsPerSecond()
  }

  #noteUsual(now: number): void {
    const faded = this.#usualRate * (1 - usualFadesPerSecond) ** ((now - this.#usualAt) / 1000)
    this.#usualRate = Math.max(faded, this.#taken())
    this.#usualAt = now
  }

  #growRate(now: number): void {
    const since = now - this.#grownAt
    if (since < reactionMillis || now - this.#refusedAt < restAfterRefusalMillis) return
    this.#grownAt = now
    const limited = this.#rate * (this.#isRateKnown ? nearLimit : nearLimitUntilKnown)
    if (this.#rate === Infinity || this.#taken() < limited) return
    const quiet = now - this.#refusedAt - restAfterRefusalMillis
    const growth = this.#isRateKnown
      ? Math.min(firstGrowthPerSecond * 2 ** (quiet / growthDoublesMillis), fastestGrowthPerSecond)
      : growthUntilKnown
    const rate = this.#rate * (1 + (growth * Math.min(since, 1000)) / 1000)
    this.#rate = Math.min(rate, this.#limits.maxWritesPerSecond ?? Infinity)
    this.#hasRateGrown = true
  }
}
