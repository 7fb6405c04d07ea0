interface Counts {
  accepted: number
  refused: number
}

const noWrites: Readonly<Counts> = {accepted: 0, refused: 0}

export interface ThrottleStats {
  readonly accepted: number
  readonly refused: number
  /** What is let through now; it grows. */
  readonly writesPerSecond: number
  /** By whole seconds since the start. */
  readonly bySecond: readonly Readonly<Counts>[]
}

/**
 * The capacity of an on-demand table for writes: so many a second, hardly more at once, and twice the traffic of one
 * period in the next. (Of Amazon Keyspaces a period has 30 minutes.) A write counts as one, whatever its size.
 * https://docs.aws.amazon.com/keyspaces/latest/devguide/ReadWriteCapacityMode.OnDemand.html
 */
export class WriteThrottle {
  #writesPerSecond: number
  readonly #givenBurst: number | undefined
  readonly #periodMillis: number
  readonly #startedAt = performance.now()
  #periodStartedAt = this.#startedAt
  #acceptedInPeriod = 0
  #tokens: number
  #filledAt = this.#startedAt
  readonly #bySecond: Counts[] = []

  constructor(options: {
    readonly writesPerSecond?: number | undefined
    /** Writes at once beyond the rate; by default what comes in 50 ms. */
    readonly burst?: number | undefined
    /** By default capacity stays what it is. */
    readonly doublingMillis?: number | undefined
  }) {
    const {writesPerSecond = Infinity, doublingMillis = Infinity} = options
    this.#writesPerSecond = writesPerSecond
    this.#givenBurst = options.burst
    this.#periodMillis = doublingMillis
    this.#tokens = this.#burst
  }

  /** Takes the writes of one request, all or none. */
  admit(writes: number): boolean {
    const now = performance.now()
    this.#grow(now)
    if (this.#writesPerSecond !== Infinity) {
      const earned = ((now - this.#filledAt) / 1000) * this.#writesPerSecond
      this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    }
    this.#filledAt = now
    // A batch may be larger than the burst: it is let in when nothing is owed, and then owes.
    const isAdmitted = this.#tokens >= Math.min(writes, this.#burst)
    if (isAdmitted) {
      this.#tokens -= writes
      this.#acceptedInPeriod += writes
    }
    this.#count(now, isAdmitted ? 'accepted' : 'refused', writes)
    return isAdmitted
  }

  stats(): ThrottleStats {
    // Seconds without any write are seconds, too.
    const bySecond = Array.from(this.#bySecond, (counts: Counts | undefined) => ({...(counts ?? noWrites)}))
    const sum = (of: keyof Counts): number => bySecond.reduce((all, second) => all + second[of], 0)
    return {
      accepted: sum('accepted'),
      refused: sum('refused'),
      writesPerSecond: this.#writesPerSecond,
      bySecond,
    }
  }

  get #burst(): number {
    return this.#givenBurst ?? Math.max(1, this.#writesPerSecond / 20)
  }

  #grow(now: number): void {
    const millis = now - this.#periodStartedAt
    if (millis < this.#periodMillis) return
    this.#writesPerSecond = Math.max(this.#writesPerSecond, (2 * this.#acceptedInPeriod * 1000) / millis)
    this.#periodStartedAt = now
    this.#acceptedInPeriod = 0
  }

  #count(now: number, as: keyof Counts, writes: number): void {
    const second = Math.floor((now - this.#startedAt) / 1000)
    const counts = (this.#bySecond[second] ??= {...noWrites})
    counts[as] += writes
  }
}
