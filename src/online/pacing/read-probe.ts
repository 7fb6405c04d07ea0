import {machineClock, type PacingClock} from './load-pacer.js'

const pauseMillis = 20
/** A read that takes longer is told of all the while. */
const sliceMillis = 250
const tickMillis = 1
/** What counts of a turn of the event loop that took longer. */
const longestTurnMillis = 4

export interface ReadProbeOptions {
  /** One small read, as those who depend on the store do. */
  readonly read: () => Promise<unknown>
  /** What a read took that was answered; of one that takes long, again and again what it took so far. */
  readonly onRead: (millis: number) => void
  readonly clock?: PacingClock
}

/**
 * Reads the store all the time while a load writes to it, as those who depend on it do, and tells how long that takes.
 * What this process was too busy to notice is taken off: reads of others do not wait for it.
 */
export class ReadProbe implements AsyncDisposable {
  readonly #read: () => Promise<unknown>
  readonly #clock: PacingClock
  readonly #onRead: (millis: number) => void
  #isOver = false
  readonly #loop: Promise<void>

  constructor(options: ReadProbeOptions) {
    this.#read = options.read
    this.#onRead = options.onRead
    this.#clock = options.clock ?? machineClock
    this.#loop = this.#goOn()
  }

  /** What single reads take, one after the other, up to the first that fails: a store that is not there is not waited for. */
  static async measure(
    count: number,
    {
      read,
      clock = machineClock,
      signal,
    }: Pick<ReadProbeOptions, 'read' | 'clock'> & {readonly signal?: AbortSignal | undefined},
  ): Promise<readonly number[]> {
    const taken: number[] = []
    while (taken.length < count) {
      signal?.throwIfAborted()
      const millis = await timeRead(read, {clock, onSlice: () => undefined})
      if (millis === undefined) break
      taken.push(millis)
    }
    return taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#loop
  }

  async #goOn(): Promise<void> {
    const [clock, onSlice] = [this.#clock, this.#onRead]
    while (!this.#isOver) {
      const millis = await timeRead(this.#read, {clock, onSlice})
      if (millis !== undefined) this.#onRead(millis)
      await clock.sleep(pauseMillis)
    }
  }
}

/**
 * How long a read takes, as far as this process saw it wait. A ticking clock shows when it did not: while it computes,
 * collects garbage or has no processor, an answer may lie there unseen, so of each such time only a little counts. What
 * comes out is never too long; it is too short where a slow answer and a busy process meet. Undefined for a read that
 * failed: the store's answers to writes tell more of that.
 */
async function timeRead(
  read: () => Promise<unknown>,
  {clock, onSlice}: {readonly clock: PacingClock; readonly onSlice: (millis: number) => void},
): Promise<number | undefined> {
  let seenAt = clock.now()
  let waited = 0
  let told = 0
  let isOver = false
  const look = (): void => {
    const now = clock.now()
    waited += Math.min(now - seenAt, longestTurnMillis)
    seenAt = now
  }
  const tick = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(tickMillis)
      if (isOver) return
      look()
      if (waited - told < sliceMillis) continue
      told = waited
      onSlice(waited)
    }
  }
  void tick()
  try {
    await read()
    look()
    return waited
  } catch {
    return undefined
  } finally {
    isOver = true
  }
}
