/**
 * The share of its pace that a load keeps, so that one in a hundred reads takes longer than the target and no more.
 *
 * Each slow read costs a quarter of the share, and ninety-nine quick ones earn that quarter back, so it settles where one
 * in a hundred is slow and needs no statistics to get there (a stochastic approximation of the quantile: Robbins and
 * Monro, 1951). Reads that are slow altogether make the load yield within a second; a single pause of whatever kind
 * costs it little.
 *
 * Where reads stay slow while the load has all but stopped, it is not the load that slows them: then what they take is
 * what the target must allow, for a while.
 */
import {LatencyHistogram} from './latency-histogram.js'

const shareAfterSlowRead = 0.75
const quickReadsForOneSlow = 99
const earnedByQuickRead = shareAfterSlowRead ** (-1 / quickReadsForOneSlow)
/** After so many quick reads in a row, each earns twice as much, as the target is kept with room to spare. */
const quickReadsUntilDouble = 100
const mostDoublings = 4
/** A load that yields goes on, if slowly. */
const leastShare = 0.1
/** Below it, the load as good as stopped. */
const stillShare = 0.2
const stillMillis = 10_000
/** What a slow store is allowed: of the middle of its reads before the load, and of the slowest while the load yields. */
const allowanceBefore = 2
const allowanceStill = 1.5
const allowedForMillis = 60_000

export class ReadCourtesy {
  readonly #now: () => number
  readonly #wantedMillis: number
  #targetMillis: number
  #allowedUntil = -Infinity
  #share = 1
  #quickInRow = 0
  #still = new LatencyHistogram()
  #stillSince: number | undefined

  /** `before`: what reads took before the load. A store that is slower than the target by itself gets twice of that. */
  constructor(targetMillis: number, now: () => number, before: readonly number[] = []) {
    const median = before.toSorted((a, b) => a - b)[Math.floor(before.length / 2)] ?? 0
    this.#wantedMillis = Math.max(targetMillis, median * allowanceBefore)
    this.#targetMillis = this.#wantedMillis
    this.#now = now
  }

  /** 1 where reads leave room for all that the store bears; never 0. */
  get share(): number {
    return this.#share
  }

  /** A read took so long. */
  add(millis: number): void {
    const now = this.#now()
    if (now >= this.#allowedUntil) this.#targetMillis = this.#wantedMillis
    if (millis > this.#targetMillis) {
      this.#quickInRow = 0
      this.#share = Math.max(leastShare, this.#share * shareAfterSlowRead)
    } else {
      const doublings = Math.min(mostDoublings, this.#quickInRow / quickReadsUntilDouble)
      this.#quickInRow += 1
      this.#share = Math.min(1, this.#share * earnedByQuickRead ** (2 ** doublings))
    }
    this.#lookAtStillness(millis, now)
  }

  #lookAtStillness(millis: number, now: number): void {
    if (this.#share > stillShare) {
      this.#stillSince = undefined
      return
    }
    if (this.#stillSince === undefined) {
      this.#stillSince = now
      this.#still = new LatencyHistogram()
    }
    this.#still.add(millis)
    if (now - this.#stillSince < stillMillis) return
    this.#stillSince = undefined
    const slowest = this.#still.quantile(0.99)
    if (slowest <= this.#targetMillis) return
    this.#targetMillis = slowest * allowanceStill
    this.#allowedUntil = now + allowedForMillis
  }
}
