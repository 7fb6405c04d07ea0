/**
 * Finds how many requests in flight bring the most rows a second: past its best point a store gets slower with each
 * request that waits in it.
 *
 * First the number doubles for as long as that pays. From then on some more and some fewer are tried, each twice and in
 * random order, and only what was better both times moves it: what a store takes in a quarter of a second depends on
 * much else (Dong et al., "PCC: Re-architecting Congestion Control for Consistent High Performance", 2015).
 */
const first = 8
/** Time in which one number is tried. */
const trialMillis = 250
/** So many answers for each request in flight make a trial worth comparing, whatever time that takes. */
const answersEach = 2
const fewestAnswers = 16
/** What twice as many in flight must bring: while the number climbs, and from then on (by powers, for any step). */
const worthwhileGain = 1.2
const worthwhilePower = Math.log2(worthwhileGain)
const firstStep = 1.25
const longestStep = 1.6

interface Trial {
  readonly direction: 'more' | 'less'
  worth?: number
}

export class ConcurrencySearch {
  readonly #most: number
  readonly #now: () => number
  readonly #random: () => number
  /** The number around which others are tried. */
  #found = first
  #step = firstStep
  #lastMove: Trial['direction'] | undefined
  #isClimbing = true
  #best = first
  #bestRate = 0
  #hasMissed = false
  #trials: Trial[] = []
  #at = 0

  #since: number
  #rows = 0
  #answers = 0
  #isUsedUp = false

  constructor(most: number, now: () => number, random: () => number = Math.random) {
    this.#most = most
    this.#now = now
    this.#random = random
    this.#since = now()
    this.restart()
  }

  /** Requests in flight, now. */
  get concurrency(): number {
    const direction = this.#trials[this.#at]?.direction
    return direction === undefined ? this.#found : this.#moved(direction)
  }

  onAcknowledged(rows: number): void {
    this.#rows += rows
    this.#answers += 1
    const now = this.#now()
    if (now - this.#since < trialMillis) return
    if (this.#answers < Math.max(fewestAnswers, this.#found * answersEach)) return
    const rate = (this.#rows / (now - this.#since)) * 1000
    // Where something else held requests back, the number made no difference.
    if (this.#isUsedUp) this.#endTrial(rate)
    this.#begin(now)
  }

  /** A request had to wait because so many were in flight. */
  onUsedUp(): void {
    this.#isUsedUp = true
  }

  /** What is counted now says nothing. */
  forget(): void {
    this.#begin(this.#now())
  }

  /** Goes on from a share of the number. */
  cut(share: number): void {
    this.#found = this.#bounded(this.#found * share)
    this.#isClimbing = false
    this.#lastMove = undefined
    this.#beginTrials(firstStep)
    this.forget()
  }

  /** Knows nothing any more. */
  restart(): void {
    this.#found = Math.min(first, this.#most)
    this.#best = this.#found
    this.#bestRate = 0
    this.#hasMissed = false
    this.#lastMove = undefined
    this.#isClimbing = true
    this.#trials = []
    this.forget()
  }

  #endTrial(rate: number): void {
    if (this.#isClimbing) {
      this.#climb(rate)
      return
    }
    const trial = this.#trials[this.#at]
    if (trial !== undefined) trial.worth = rate / this.concurrency ** worthwhilePower
    this.#at += 1
    if (this.#at >= this.#trials.length) this.#judge()
  }

  /** Goes on after a single miss, which says little. */
  #climb(rate: number): void {
    if (rate > this.#bestRate * worthwhileGain) {
      this.#bestRate = rate
      this.#best = this.#found
      this.#hasMissed = false
    } else if (this.#hasMissed) {
      this.#endClimb()
      return
    } else {
      this.#hasMissed = true
    }
    if (this.#found < this.#most) this.#found = this.#bounded(this.#found * 2)
    else this.#endClimb()
  }

  #endClimb(): void {
    this.#isClimbing = false
    this.#found = this.#best
    this.#beginTrials(firstStep)
  }

  #judge(): void {
    const [one, other] = [this.#trials.slice(0, 2), this.#trials.slice(2)].map(betterOf)
    if (one === undefined || one !== other) {
      this.#lastMove = undefined
      this.#beginTrials(firstStep)
      return
    }
    this.#found = this.#moved(one)
    // The same way again: what is best is far.
    const step = this.#lastMove === one ? Math.min(longestStep, this.#step * firstStep) : firstStep
    this.#lastMove = one
    this.#beginTrials(step)
  }

  #beginTrials(step: number): void {
    this.#step = step
    this.#trials = [this.#pair(), this.#pair()].flat()
    this.#at = 0
  }

  #pair(): Trial[] {
    const pair: Trial[] = [{direction: 'more'}, {direction: 'less'}]
    return this.#random() < 0.5 ? pair : pair.reverse()
  }

  #begin(now: number): void {
    this.#since = now
    this.#rows = 0
    this.#answers = 0
    this.#isUsedUp = false
  }

  #moved(direction: Trial['direction']): number {
    return this.#bounded(
      direction === 'more'
        ? Math.max(Math.floor(this.#found) + 1, this.#found * this.#step)
        : Math.min(Math.ceil(this.#found) - 1, this.#found / this.#step),
    )
  }

  #bounded(concurrency: number): number {
    return Math.max(1, Math.min(concurrency, this.#most))
  }
}

function betterOf(pair: readonly Trial[]): Trial['direction'] | undefined {
  return pair.toSorted((a, b) => (b.worth ?? 0) - (a.worth ?? 0))[0]?.direction
}
