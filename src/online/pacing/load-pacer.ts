/** Sends the requests of a load as fast as its limits and the store allow. */
import {LatencyHistogram} from './latency-histogram.js'
import {RateRecord} from './rate-record.js'
import {TokenBucket} from './token-bucket.js'
import {StoreRefusal, type RefusalCause, type WritePacer} from './write-pacer.js'

const firstPauseMillis = 20
const longestPauseMillis = 2000
/** Who stops a load waits no longer. */
const longestSleepMillis = 250

/** A store that takes nothing for so long is worth a word. */
export const stallMillis = 3000

/** Milliseconds of a clock that never goes back, and waiting by it. */
export interface PacingClock {
  now(): number
  sleep(millis: number): Promise<void>
}

export const machineClock: PacingClock = {
  now: () => performance.now(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
}

/** How many requests may be in flight and how many rows a second may be sent, decided by what becomes of them. */
export interface PacingPolicy {
  /** Requests in flight, at least 1. */
  readonly concurrency: number
  /** Infinity for no limit. */
  readonly rowsPerSecond: number
  onAcknowledged(rows: number, millis: number): void
  onRefused(cause: RefusalCause, millis: number): void
  /** The concurrency was used up, or the rate was: which of the two held a request back. */
  onHeldBack(by: 'concurrency' | 'rate'): void
}

/** The time in which the store answers some kind of requests by refusals alone. */
class Silence {
  #answeredAt = -Infinity
  #since: number | undefined

  end(now: number): void {
    this.#answeredAt = now
    this.#since = undefined
  }

  /** How long it lasts when a request that was sent then is refused now. */
  lasts(sentAt: number, now: number): number {
    this.#since ??= Math.max(sentAt, this.#answeredAt)
    return now - this.#since
  }
}

/** What becomes of a request beyond its being sent until it is answered. */
interface Exchange {
  readonly silence: Silence
  answered(millis: number, now: number): void
  refused(cause: RefusalCause, millis: number): void
  /** Waits until it may be sent again, at the deadline at the latest. */
  again(cause: RefusalCause, deadline: number): Promise<void>
}

/** What a load's writing was like. */
export interface WriteMetrics {
  readonly requests: number
  /** Requests that were sent again, by the reason. */
  readonly retries: Readonly<Partial<Record<RefusalCause, number>>>
  /** How long requests were held back before they were sent for the first time, all taken together. */
  readonly heldBackMillis: number
  /** Of requests that the store acknowledged. */
  readonly p50Millis: number
  readonly p99Millis: number
  readonly rate: {readonly everyMillis: number; readonly rows: readonly number[]}
}

export class LoadPacer implements WritePacer {
  readonly #policy: PacingPolicy
  readonly #clock: PacingClock
  readonly #patienceMillis: number
  readonly #signal: AbortSignal | undefined
  readonly #onStall: ((failure: Error) => void) | undefined
  readonly #bucket: TokenBucket
  readonly #queue: {readonly rows: number; readonly since: number; readonly admit: () => void}[] = []
  readonly #latencies = new LatencyHistogram()
  readonly #rate = new RateRecord()
  readonly #retries = new Map<RefusalCause, number>()
  #inFlight = 0
  #requests = 0
  #heldBackMillis = 0
  #beganAt: number | undefined
  #isWakeSet = false
  /** A request was given up, and none was acknowledged since: others need not wait as long for the same end. */
  #hasGivenUp = false
  /** A store may answer questions and take nothing, or the other way round. */
  readonly #silence = {requests: new Silence(), questions: new Silence()}
  #isStallTold = false

  constructor({
    policy,
    patienceMillis,
    clock = machineClock,
    signal,
    onStall,
  }: {
    readonly policy: PacingPolicy
    /** How long one request is sent again and again. */
    readonly patienceMillis: number
    readonly clock?: PacingClock
    /** Ends all waiting; nothing is sent any more. */
    readonly signal?: AbortSignal | undefined
    /** Called once when the store has refused all requests for some seconds, with why. */
    readonly onStall?: ((failure: Error) => void) | undefined
  }) {
    this.#policy = policy
    this.#patienceMillis = patienceMillis
    this.#clock = clock
    this.#signal = signal
    this.#onStall = onStall
    this.#bucket = new TokenBucket(clock.now())
  }

  admit(rows: number): Promise<void> | undefined {
    this.#beganAt ??= this.#clock.now()
    if (this.#queue.length === 0 && this.#mayAdmit()) {
      this.#take(rows)
      return undefined
    }
    return new Promise((admit) => {
      this.#queue.push({rows, since: this.#clock.now(), admit})
      this.#admitWaiting()
    })
  }

  async send<T>(rows: number, request: () => Promise<T>): Promise<T> {
    this.#requests += 1
    try {
      return await this.#untilAnswered(request, {
        silence: this.#silence.requests,
        answered: (millis, now) => {
          this.#hasGivenUp = false
          this.#silence.questions.end(now)
          this.#isStallTold = false
          this.#latencies.add(millis)
          this.#rate.add(rows, now - (this.#beganAt ?? now))
          this.#policy.onAcknowledged(rows, millis)
        },
        refused: (cause, millis) => this.#policy.onRefused(cause, millis),
        again: async (cause, deadline) => {
          this.#retries.set(cause, (this.#retries.get(cause) ?? 0) + 1)
          await this.#takeRate(rows, deadline)
        },
      })
    } finally {
      this.#inFlight -= 1
      this.#admitWaiting()
    }
  }

  ask<T>(question: () => Promise<T>): Promise<T> {
    return this.#untilAnswered(question, {
      silence: this.#silence.questions,
      answered: () => undefined,
      refused: () => undefined,
      again: () => Promise.resolve(),
    })
  }

  metrics(): WriteMetrics {
    return {
      requests: this.#requests,
      retries: Object.fromEntries(this.#retries),
      heldBackMillis: this.#heldBackMillis,
      p50Millis: this.#latencies.quantile(0.5),
      p99Millis: this.#latencies.quantile(0.99),
      rate: this.#rate.get(),
    }
  }

  async #untilAnswered<T>(request: () => Promise<T>, how: Exchange): Promise<T> {
    const deadline = this.#clock.now() + this.#patienceMillis
    for (let attempt = 0; ; attempt += 1) {
      this.#signal?.throwIfAborted()
      const sentAt = this.#clock.now()
      try {
        const answer = await request()
        const now = this.#clock.now()
        how.silence.end(now)
        how.answered(now - sentAt, now)
        return answer
      } catch (error) {
        if (!(error instanceof StoreRefusal)) throw error
        const now = this.#clock.now()
        how.refused(error.refusal, now - sentAt)
        if (now >= deadline) this.#hasGivenUp = true
        if (this.#hasGivenUp) throw error.cause
        if (!this.#isStallTold && how.silence.lasts(sentAt, now) >= stallMillis) {
          this.#isStallTold = true
          this.#onStall?.(error)
        }
        // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        await this.#sleep(Math.random() * Math.min(longestPauseMillis, firstPauseMillis * 2 ** attempt))
        await how.again(error.refusal, deadline)
      }
    }
  }

  #mayAdmit(): boolean {
    if (this.#isAborted) return true
    if (this.#inFlight >= Math.floor(this.#policy.concurrency)) {
      this.#policy.onHeldBack('concurrency')
      return false
    }
    if (
      !this.#hasGivenUp &&
      this.#bucket.millisUntilFree(this.#policy.rowsPerSecond, this.#clock.now()) > 0
    ) {
      this.#policy.onHeldBack('rate')
      this.#wakeLater()
      return false
    }
    return true
  }

  #take(rows: number): void {
    this.#inFlight += 1
    this.#bucket.take(rows)
  }

  #admitWaiting(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#mayAdmit(); next = this.#queue[0]) {
      this.#queue.shift()
      this.#take(next.rows)
      this.#heldBackMillis += this.#clock.now() - next.since
      next.admit()
    }
  }

  /** A request that is sent again counts once more for the rate. It is sent at its deadline, however slow that is. */
  async #takeRate(rows: number, deadline: number): Promise<void> {
    while (!this.#isAborted) {
      const now = this.#clock.now()
      const wait = Math.min(this.#bucket.millisUntilFree(this.#policy.rowsPerSecond, now), deadline - now)
      if (wait <= 0) break
      await this.#sleep(Math.max(1, wait))
    }
    this.#bucket.take(rows)
  }

  /** Less where the load is stopped. */
  async #sleep(millis: number): Promise<void> {
    const end = this.#clock.now() + millis
    for (let left = millis; left > 0 && !this.#isAborted; left = end - this.#clock.now())
      await this.#clock.sleep(Math.min(left, longestSleepMillis))
  }

  get #isAborted(): boolean {
    return this.#signal?.aborted === true
  }

  #wakeLater(): void {
    if (this.#isWakeSet) return
    this.#isWakeSet = true
    const wait = this.#bucket.millisUntilFree(this.#policy.rowsPerSecond, this.#clock.now())
    void this.#sleep(Math.max(1, wait)).then(() => {
      this.#isWakeSet = false
      this.#admitWaiting()
    })
  }
}
