/** Each bucket ends a tenth above the one before. */
const growth = Math.log(1.1)
const shortestMillis = 0.01
const buckets = 180

/** Counts durations in buckets that are a tenth wide, from 10 microseconds to about 4 minutes. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(buckets)
  #total = 0

  get count(): number {
    return this.#total
  }

  add(millis: number): void {
    const bucket = Math.ceil(Math.log(Math.max(millis, shortestMillis) / shortestMillis) / growth)
    const at = Math.min(bucket, buckets - 1)
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#total += 1
  }

  /** Milliseconds that a share of all durations do not exceed, a tenth too many at most; 0 without any. */
  quantile(share: number): number {
    if (this.#total === 0) return 0
    let left = Math.ceil(this.#total * share)
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      left -= this.#counts[bucket] as number
      if (left <= 0) return shortestMillis * Math.exp(bucket * growth)
    }
    return shortestMillis * Math.exp(buckets * growth)
  }
}
