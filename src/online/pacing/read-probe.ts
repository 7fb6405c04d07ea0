import {setImmediate} from 'node:timers/promises'
import {machineClock, type PacingClock} from './load-pacer.js'

const pauseMillis = 20
/** Reads of about the last second. */
const kept = 40
/** Too few to say anything of one in a hundred, and enough to see that something changed. */
const fewest = 8
/** Before the load: what reads take when it does not disturb them. */
const readsBefore = 12

export interface ReadProbeOptions {
  /** One small read, as those who depend on the store do. */
  readonly read: () => Promise<unknown>
  readonly targetMillis: number
  /** What one in a hundred of the last reads took longer than, and what it should not. */
  readonly onLatency: (p99Millis: number, targetMillis: number) => void
  readonly clock?: PacingClock
}

/**
 * Reads the store all the time while a load writes to it, as those who depend on it do, and tells how long that takes.
 * What this process itself was too busy to notice is taken off: reads of others do not wait for it.
 */
export class ReadProbe implements AsyncDisposable {
  readonly #read: () => Promise<unknown>
  readonly #clock: PacingClock
  readonly #onLatency: (p99Millis: number, targetMillis: number) => void
  readonly #last: number[] = []
  #targetMillis: number
  #isOver = false
  #loop: Promise<void> = Promise.resolve()

  private constructor({read, onLatency, targetMillis, clock = machineClock}: ReadProbeOptions) {
    this.#read = read
    this.#clock = clock
    this.#targetMillis = targetMillis
    this.#onLatency = onLatency
  }

  /**
   * Looks at the store as it is, then goes on in the background. A store that is slower than the target by itself gets
   * twice of what it takes for a target.
   */
  static async start(options: ReadProbeOptions): Promise<ReadProbe> {
    const probe = new ReadProbe(options)
    const before: number[] = []
    for (let count = 0; count < readsBefore; count += 1) before.push(await probe.#measure())
    before.sort((a, b) => a - b)
    const median = before[Math.floor(before.length / 2)] ?? 0
    probe.#targetMillis = Math.max(probe.#targetMillis, median * 2)
    probe.#loop = probe.#goOn()
    return probe
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#loop
  }

  async #goOn(): Promise<void> {
    while (!this.#isOver) {
      this.#last.push(await this.#measure())
      if (this.#last.length > kept) this.#last.shift()
      if (this.#last.length >= fewest) this.#onLatency(p99Of(this.#last), this.#targetMillis)
      await this.#clock.sleep(pauseMillis)
    }
  }

  /** A read that fails took as long as it took: the store's answers to writes tell the rest. */
  async #measure(): Promise<number> {
    const sentAt = this.#clock.now()
    let turnMillis = 0
    const turn = setImmediate().then(() => (turnMillis = this.#clock.now() - sentAt))
    await this.#read().catch(() => undefined)
    const millis = this.#clock.now() - sentAt
    await turn
    // One turn of the event loop passed before the read left, and about one more before its answer was seen.
    return Math.max(0, millis - 2 * turnMillis)
  }
}

/** Of a few dozen: the second largest, so that a single pause of this process does not count. */
function p99Of(latencies: readonly number[]): number {
  return latencies.toSorted((a, b) => b - a)[1] ?? 0
}
