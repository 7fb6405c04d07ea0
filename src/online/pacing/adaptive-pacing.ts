/**
 * Finds out what a store bears, and keeps to it: down at once, up slowly.
 *
 * - Requests in flight climb while more of them mean more rows a second, and go back when they do not: past its best
 *   point a store gets slower with each request that waits in it.
 * - Refusals set a rate, just below what the store took in the last moments; from there it grows, first by some percent a
 *   second and then faster, until the next refusal, as CUBIC does (RFC 9438). Halving it instead would lose a quarter of
 *   what a store that throttles takes.
 * - While reads of the store, tried all the time, take longer than the target, both shrink.
 */
import type {PacingPolicy} from './load-pacer.js'
import {RecentRate} from './recent-rate.js'
import type {WriteLimits} from './write-limits.js'
import type {RefusalCause} from './write-pacer.js'

const firstConcurrency = 4
/** Time in which one number of requests in flight is tried. */
const trialMillis = 250
/** So many answers make a trial worth comparing, whatever time that takes. */
const trialAnswers = 16
/** What more requests in flight must bring to stay. */
const worthwhileGain = 1.05
/** How long a number that was found best stays before others are tried. */
const restMillis = 2000

/** Refusals within this time were sent at one rate. */
const reactionMillis = 200
/** Share of what the store took that is asked of it after a refusal. */
const shareAfterRefusal = 0.97
const restAfterRefusalMillis = 1000
const firstGrowthPerSecond = 0.04
/** Time after which growth without refusals is twice as fast. */
const growthDoublesMillis = 2000
const fastestGrowthPerSecond = 0.5
/** A rate is known after this long. */
const evidenceMillis = 500
/** Above this, an acknowledged rate is bounded by the store's limit and not by what there is to send. */
const nearLimit = 0.9

const yieldFactor = 0.7
const yieldMillis = 200
const recoveryFactor = 1.1
const recoveryMillis = 500
/** Below this share of the target, reads leave room. */
const roomyShare = 0.8
/** A load that yields goes on, if slowly. */
const slowestRowsPerSecond = 50

type Phase = 'climb' | 'rest' | 'more' | 'less'

export class AdaptivePacing implements PacingPolicy {
  readonly #limits: WriteLimits
  readonly #now: () => number
  readonly #recent: RecentRate
  #concurrency: number
  #rate: number

  #phase: Phase = 'climb'
  readonly #beganAt: number
  #trialSince: number
  #trialRows = 0
  #trialCount = 0
  #isConcurrencyUsedUp = false
  #bestConcurrency: number
  #bestRate = 0
  #nextTrial: 'more' | 'less' = 'more'

  #refusedAt = -Infinity
  #reactedAt = -Infinity
  #grownAt: number
  #yieldedAt = -Infinity
  #recoveredAt = -Infinity
  /** Requests in flight before reads were slow, while that is not made good. */
  #concurrencyBeforeYield: number | undefined

  constructor(limits: WriteLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
    this.#concurrency = Math.min(firstConcurrency, limits.maxConcurrency)
    this.#bestConcurrency = this.#concurrency
    this.#rate = limits.maxWritesPerSecond ?? Infinity
    this.#beganAt = now()
    this.#trialSince = now()
    this.#grownAt = now()
    this.#recent = new RecentRate(now)
  }

  get concurrency(): number {
    return this.#concurrency
  }

  get rowsPerSecond(): number {
    return this.#rate
  }

  onAcknowledged(rows: number): void {
    this.#recent.add(rows)
    this.#trialRows += rows
    this.#trialCount += 1
    const now = this.#now()
    this.#growRate(now)
    if (now - this.#trialSince >= trialMillis && this.#trialCount >= trialAnswers) this.#endTrial(now)
  }

  onRefused(cause: RefusalCause): void {
    const now = this.#now()
    if (now - this.#reactedAt >= reactionMillis) {
      this.#reactedAt = now
      this.#concurrencyBeforeYield = undefined
      const isKnown = now - this.#beganAt >= evidenceMillis
      if (isKnown) this.#limitRate(this.#recent.rowsPerSecond() * shareAfterRefusal)
      // Who has no room for what waits needs fewer that wait, and not only a slower pace.
      if (!isKnown || cause !== 'timeout') this.#setConcurrency(this.#concurrency * yieldFactor)
      this.#rest(now)
    }
    this.#refusedAt = now
    this.#grownAt = now
  }

  onHeldBack(by: 'concurrency' | 'rate'): void {
    if (by === 'concurrency') this.#isConcurrencyUsedUp = true
  }

  /** `p99Millis` is what one in a hundred of the last reads took longer than, `targetMillis` what it should not. */
  onReadLatency(p99Millis: number, targetMillis: number): void {
    const now = this.#now()
    if (p99Millis > targetMillis) {
      if (now - this.#yieldedAt < yieldMillis) return
      this.#yieldedAt = now
      this.#recoveredAt = now
      this.#concurrencyBeforeYield ??= this.#concurrency
      this.#limitRate(Math.min(this.#rate, this.#recent.rowsPerSecond()) * yieldFactor)
      this.#setConcurrency(this.#concurrency * yieldFactor)
      this.#rest(now)
    } else if (p99Millis < targetMillis * roomyShare && now - this.#recoveredAt >= recoveryMillis) {
      this.#recoveredAt = now
      this.#recover()
    }
  }

  #recover(): void {
    const wanted = this.#concurrencyBeforeYield
    if (wanted === undefined) return
    this.#raiseRate(this.#rate * recoveryFactor)
    if (this.#concurrency < wanted) this.#setConcurrency(Math.min(wanted, this.#concurrency + 1))
  }

  /** Whether reads were slow of late, so that no other trial may go on. */
  get #isYielding(): boolean {
    return this.#now() - this.#yieldedAt < restMillis
  }

  #growRate(now: number): void {
    const since = now - this.#grownAt
    if (since < reactionMillis || now - this.#refusedAt < restAfterRefusalMillis) return
    this.#grownAt = now
    if (this.#rate === Infinity || this.#isYielding) return
    if (this.#recent.rowsPerSecond() < this.#rate * nearLimit) return
    const quiet = now - this.#refusedAt - restAfterRefusalMillis
    const growth = Math.min(firstGrowthPerSecond * 2 ** (quiet / growthDoublesMillis), fastestGrowthPerSecond)
    this.#raiseRate(this.#rate * (1 + (growth * Math.min(since, 1000)) / 1000))
  }

  #limitRate(rate: number): void {
    this.#rate = Math.max(slowestRowsPerSecond, Math.min(this.#rate, rate))
  }

  #raiseRate(rate: number): void {
    this.#rate = Math.min(rate, this.#limits.maxWritesPerSecond ?? Infinity)
  }

  #endTrial(now: number): void {
    const rate = (this.#trialRows / (now - this.#trialSince)) * 1000
    const wasUsedUp = this.#isConcurrencyUsedUp
    const restedMillis = now - this.#trialSince
    switch (this.#phase) {
      case 'climb':
        if (!wasUsedUp) break
        if (rate > this.#bestRate * worthwhileGain) {
          this.#bestRate = rate
          this.#bestConcurrency = this.#concurrency
          this.#setConcurrency(this.#concurrency * 2)
        } else {
          this.#setConcurrency(this.#bestConcurrency)
          this.#rest(now)
          return
        }
        break
      case 'rest':
        if (restedMillis < restMillis) return
        this.#bestRate = rate
        this.#bestConcurrency = this.#concurrency
        if (!wasUsedUp || this.#isYielding) break
        this.#phase = this.#nextTrial
        this.#setConcurrency(this.#phase === 'more' ? more(this.#concurrency) : less(this.#concurrency))
        break
      case 'more':
        this.#nextTrial = 'less'
        if (rate > this.#bestRate * worthwhileGain) this.#phase = 'climb'
        else this.#setConcurrency(this.#bestConcurrency)
        this.#rest(now)
        return
      case 'less':
        this.#nextTrial = 'more'
        // As many rows by fewer requests: each of them waits less.
        if (rate * worthwhileGain < this.#bestRate) this.#setConcurrency(this.#bestConcurrency)
        this.#rest(now)
        return
      default:
        this.#phase satisfies never
    }
    this.#beginTrial(now)
  }

  #rest(now: number): void {
    this.#phase = 'rest'
    this.#beginTrial(now)
  }

  #beginTrial(now: number): void {
    this.#trialSince = now
    this.#trialRows = 0
    this.#trialCount = 0
    this.#isConcurrencyUsedUp = false
  }

  #setConcurrency(concurrency: number): void {
    this.#concurrency = Math.max(1, Math.min(concurrency, this.#limits.maxConcurrency))
  }
}

function more(concurrency: number): number {
  return Math.max(concurrency + 1, concurrency * 1.25)
}

function less(concurrency: number): number {
  return Math.min(concurrency - 1, concurrency * 0.8)
}
