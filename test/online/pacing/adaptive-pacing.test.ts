import {describe, expect, test} from 'vitest'
import {AdaptivePacing} from '../../../src/online/pacing/adaptive-pacing.js'
import {LoadPacer} from '../../../src/online/pacing/load-pacer.js'
import {staticPacing} from '../../../src/online/pacing/static-pacing.js'
import {StoreRefusal} from '../../../src/online/pacing/write-pacer.js'
import {VirtualClock} from '../../support/virtual-clock.js'

/** A store as queueing describes it: not a server, but the arithmetic of one. Real ones are in test/stores. */
class ModelStore {
  readonly taken: number[] = []
  refused = 0
  #inFlight = 0
  #tokens = 0
  #filledAt = 0
  readonly #clock: VirtualClock
  readonly #rowsPerSecondAt: (inFlight: number) => number
  /** Rows a second that it takes; those beyond are refused at once. */
  throttle = Infinity

  constructor(clock: VirtualClock, rowsPerSecondAt: (inFlight: number) => number) {
    this.#clock = clock
    this.#rowsPerSecondAt = rowsPerSecondAt
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** One row: takes as long as rows do with so many in flight. */
  async write(): Promise<void> {
    const now = this.#clock.now()
    this.#tokens = Math.min(
      this.throttle / 10,
      this.#tokens + ((now - this.#filledAt) / 1000) * this.throttle,
    )
    this.#filledAt = now
    if (this.throttle !== Infinity && this.#tokens < 1) {
      this.refused += 1
      await this.#clock.sleep(1)
      throw new StoreRefusal('timeout', new Error('throttled'))
    }
    this.#tokens -= 1
    this.#inFlight += 1
    await this.#clock.sleep((this.#inFlight / this.#rowsPerSecondAt(this.#inFlight)) * 1000)
    this.#inFlight -= 1
    const second = Math.floor(this.#clock.now() / 1000)
    this.taken[second] = (this.taken[second] ?? 0) + 1
  }

  rowsPerSecond(from: number, to: number): number {
    let sum = 0
    for (let second = from; second < to; second += 1) sum += this.taken[second] ?? 0
    return sum / (to - from)
  }
}

function start(
  rowsPerSecondAt: (inFlight: number) => number,
  limits: {readonly maxWritesPerSecond?: number; readonly maxConcurrency?: number} = {},
  clock = new VirtualClock(),
) {
  const store = new ModelStore(clock, rowsPerSecondAt)
  const policy = new AdaptivePacing({pacing: 'adaptive', maxConcurrency: 256, ...limits}, () => clock.now())
  const pacer = new LoadPacer({policy, patienceMillis: 60_000, clock})
  let isOver = false
  void (async () => {
    while (!isOver) {
      await pacer.admit(1)
      void pacer.send(1, () => store.write())
    }
  })()
  return {clock, store, policy, pacer, stop: () => (isOver = true)}
}

/** The same numbers in each run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** As measured on a real server: the more at once the faster, up to a point. */
const measured = (inFlight: number) =>
  inFlight <= 32 ? 60 * inFlight + 200 : Math.max(600, 2120 - 6 * (inFlight - 32))

describe('adaptive pacing', () => {
  test('settles at what a store that throttles takes, with few refusals', async () => {
    const {clock, store, stop} = start(() => 20_000)
    store.throttle = 1000
    await clock.runUntil(60_000)
    stop()
    expect(store.rowsPerSecond(5, 20)).toBeGreaterThan(900)
    expect(store.rowsPerSecond(20, 60)).toBeGreaterThan(900)
    expect(store.refused / store.rowsPerSecond(0, 60) / 60).toBeLessThan(0.05)
  })

  test('follows a store that takes more, and one that takes less', async () => {
    const {clock, store, stop} = start(() => 20_000)
    store.throttle = 500
    await clock.runUntil(10_000)
    store.throttle = 1000
    await clock.runUntil(40_000)
    expect(store.rowsPerSecond(35, 40)).toBeGreaterThan(900)
    store.throttle = 300
    const {refused} = store
    await clock.runUntil(60_000)
    stop()
    expect(store.rowsPerSecond(45, 60)).toBeGreaterThan(270)
    expect((store.refused - refused) / store.rowsPerSecond(40, 60) / 20).toBeLessThan(0.15)
  })

  test('finds how many requests at once are best, where more are slower', async () => {
    const {clock, store, stop} = start(measured)
    await clock.runUntil(30_000)
    stop()
    expect(store.rowsPerSecond(10, 30)).toBeGreaterThan(0.9 * 2120)
  })

  test('never has more in flight, nor writes faster, than it may', async () => {
    const {clock, store, stop} = start(measured, {maxConcurrency: 8, maxWritesPerSecond: 300})
    let most = 0
    for (let at = 100; at <= 10_000; at += 100) {
      await clock.runUntil(at)
      most = Math.max(most, store.inFlight)
    }
    stop()
    expect(most).toBeLessThanOrEqual(8)
    expect(store.rowsPerSecond(1, 10)).toBeLessThanOrEqual(303)
    expect(store.rowsPerSecond(1, 10)).toBeGreaterThan(285)
  })

  test('finds it on a store that others shake, too', async () => {
    const clock = new VirtualClock()
    const random = seededRandom(7)
    const shakes = Array.from({length: 1000}, () => 0.3 + 1.4 * random())
    const shaken = (inFlight: number) =>
      measured(inFlight) * (shakes[Math.floor(clock.now() / 150) % shakes.length] ?? 1)
    const {store, stop} = start(shaken, {}, clock)
    await clock.runUntil(60_000)
    stop()
    expect(store.rowsPerSecond(10, 60)).toBeGreaterThan(0.75 * 2120)
  })

  describe('yields to reads', () => {
    /** Reads, one after the other, until then; each takes as long as `take` says. */
    async function readUntil(
      end: number,
      {clock, policy}: Pick<ReturnType<typeof start>, 'clock' | 'policy'>,
      take: (read: number) => number,
    ): Promise<void> {
      for (let read = 0; clock.now() < end; read += 1) {
        const millis = take(read)
        await clock.runUntil(clock.now() + millis + 20)
        policy.onRead(millis)
      }
    }

    test('within two seconds, and comes back when they are quick', async () => {
      const load = start(measured)
      const {clock, store, policy, stop} = load
      policy.yieldToReads(25, [2])
      await clock.runUntil(10_000)
      const before = store.rowsPerSecond(5, 10)
      await readUntil(16_000, load, () => 50)
      expect(store.rowsPerSecond(12, 16)).toBeLessThan(before / 4)
      await readUntil(40_000, load, () => 5)
      stop()
      expect(store.rowsPerSecond(30, 40)).toBeGreaterThan(before * 0.9)
    })

    test('but hardly for one read in two hundred', async () => {
      const load = start(measured)
      const {clock, store, policy, stop} = load
      policy.yieldToReads(25, [2])
      await readUntil(60_000, load, (read) => (read % 200 === 199 ? 100 : 2))
      stop()
      expect(clock.now()).toBeGreaterThanOrEqual(60_000)
      expect(store.rowsPerSecond(10, 60)).toBeGreaterThan(0.85 * 2120)
    })

    test('until one in a hundred of them is slow, where the load is what slows them', async () => {
      const load = start(measured)
      const {store, policy, stop} = load
      const random = seededRandom(3)
      policy.yieldToReads(25, [2])
      let slow = 0
      let all = 0
      await readUntil(120_000, load, () => {
        // The more in flight, the more reads are slow: one in a hundred at 12.
        const isSlow = random() < (store.inFlight / 12) ** 3 / 100
        if (load.clock.now() > 40_000) {
          all += 1
          if (isSlow) slow += 1
        }
        return isSlow ? 60 : 2
      })
      stop()
      expect(slow / all).toBeGreaterThan(0.004)
      expect(slow / all).toBeLessThan(0.02)
      expect(store.rowsPerSecond(40, 120)).toBeGreaterThan(500)
    })

    test('but not to those that wait for a store that is not there', async () => {
      const load = start(measured)
      const {store, policy, stop} = load
      policy.yieldToReads(25, [2])
      await readUntil(10_000, load, () => 2)
      policy.onRefused('connection')
      await readUntil(11_500, load, () => 250)
      await readUntil(20_000, load, () => 2)
      stop()
      expect(store.rowsPerSecond(14, 20)).toBeGreaterThan(0.9 * 2120)
    })

    test('and goes on when that helps nobody', async () => {
      const load = start(measured)
      const {store, policy, stop} = load
      policy.yieldToReads(25, [2])
      await readUntil(100_000, load, () => 50)
      stop()
      expect(store.rowsPerSecond(5, 10)).toBeLessThan(2120 / 4)
      expect(store.rowsPerSecond(10, 100)).toBeGreaterThan(2120 / 2)
    })

    test('less where the store was slow before the load', async () => {
      const load = start(measured)
      const {store, policy, stop} = load
      policy.yieldToReads(25, [30, 30, 30])
      await readUntil(20_000, load, () => 50)
      stop()
      expect(store.rowsPerSecond(10, 20)).toBeGreaterThan(0.9 * 2120)
    })
  })
})

test('a request is sent again until patience ends, and other errors end it at once', async () => {
  const clock = new VirtualClock()
  const pacer = new LoadPacer({policy: staticPacing({maxConcurrency: 2}), patienceMillis: 10_000, clock})
  let tries = 0
  const refused = async () => {
    tries += 1
    await clock.sleep(100)
    throw new StoreRefusal('overloaded', new Error('too busy'))
  }
  await pacer.admit(1)
  const first = expect(pacer.send(1, refused)).rejects.toThrow('too busy')
  await pacer.admit(1)
  const second = expect(pacer.send(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await clock.runUntil(60_000)
  await Promise.all([first, second])
  expect(tries).toBeGreaterThan(5)
  expect(pacer.metrics().retries).toEqual({overloaded: tries - 1})
})

test('a store that takes nothing is told of once, and once more when it took something meanwhile', async () => {
  const clock = new VirtualClock()
  const told: {readonly at: number; readonly why: string}[] = []
  const pacer = new LoadPacer({
    policy: staticPacing({maxConcurrency: 2}),
    patienceMillis: 60_000,
    clock,
    onStall: ({message}) => told.push({at: clock.now(), why: message}),
  })
  const refusedIn = ([from, to]: readonly [number, number]) => clock.now() >= from && clock.now() < to
  const request = async (): Promise<void> => {
    await clock.sleep(100)
    // The first time is too short to be worth a word.
    const times = [
      [0, 2000],
      [5000, 15_000],
      [20_000, 30_000],
    ] as const
    if (times.some(refusedIn)) throw new StoreRefusal('unavailable', new Error('away'))
  }
  const send = async (): Promise<void> => {
    while (clock.now() < 40_000) {
      await pacer.admit(1)
      await pacer.send(1, request)
    }
  }
  const all = Promise.all([send(), send()])
  await clock.runUntil(60_000)
  await all
  expect(told.map(({why}) => why)).toEqual(['away', 'away'])
  const [first, second] = told.map(({at}) => at)
  expect(first).toBeGreaterThanOrEqual(7900)
  expect(first).toBeLessThan(12_000)
  expect(second).toBeGreaterThanOrEqual(22_900)
  expect(second).toBeLessThan(27_000)
})

test('a request that is refused late does not tell of a store that takes the others', async () => {
  const clock = new VirtualClock()
  const told: unknown[] = []
  const policy = staticPacing({maxConcurrency: 2})
  const onStall = (failure: Error) => told.push(failure)
  const pacer = new LoadPacer({policy, patienceMillis: 60_000, clock, onStall})
  let tries = 0
  const slow = async (): Promise<void> => {
    tries += 1
    await clock.sleep(5000)
    if (tries < 4) throw new StoreRefusal('timeout', new Error('no answer'))
  }
  const sendOthers = async (): Promise<void> => {
    while (clock.now() < 30_000) {
      await pacer.admit(1)
      await pacer.send(1, () => clock.sleep(10))
    }
  }
  await pacer.admit(1)
  const all = Promise.all([pacer.send(1, slow), sendOthers()])
  await clock.runUntil(60_000)
  await all
  expect(tries).toBe(4)
  expect(told).toEqual([])
})

describe('what is asked before a request', () => {
  const clock = new VirtualClock()
  const told: number[] = []
  const newPacer = (): LoadPacer =>
    new LoadPacer({
      policy: staticPacing({maxConcurrency: 2}),
      patienceMillis: 8000,
      clock,
      onStall: () => told.push(clock.now()),
    })
  const refusedUntil = (millis: number) => async (): Promise<void> => {
    await clock.sleep(10)
    if (clock.now() < millis) throw new StoreRefusal('timeout', new Error('no answer'))
  }

  test('is asked again and told of like a request, and is none', async () => {
    const pacer = newPacer()
    const began = clock.now()
    const all = (async () => {
      for (const silence of [1000, 7000, 1000]) await pacer.ask(refusedUntil(clock.now() + silence))
      await expect(pacer.ask(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
      await expect(pacer.ask(refusedUntil(clock.now() + 60_000))).rejects.toThrow('no answer')
    })()
    await clock.runUntil(began + 120_000)
    await all
    expect(told.splice(0)).toHaveLength(1)
    expect(pacer.metrics()).toMatchObject({requests: 0, retries: {}})
  })

  test('says nothing of a store that answers questions and takes nothing', async () => {
    const pacer = newPacer()
    const began = clock.now()
    const waits: number[] = []
    const questions = async (): Promise<void> => {
      while (clock.now() < began + 20_000) await pacer.ask(refusedUntil(0))
    }
    const loads = async (): Promise<void> => {
      for (const until of [6000, 60_000, 60_000]) {
        const sentAt = clock.now()
        await pacer.admit(1)
        await pacer.send(1, refusedUntil(began + until)).catch(() => waits.push(clock.now() - sentAt))
      }
    }
    const all = Promise.all([questions(), loads()])
    await clock.runUntil(began + 120_000)
    await all
    // After one request was given up the next one is not sent for as long.
    expect(waits).toHaveLength(2)
    expect(waits[0]).toBeGreaterThanOrEqual(8000)
    expect(waits[1]).toBeLessThan(100)
    const [first, second] = told.splice(0).map((at) => at - began)
    expect(first).toBeGreaterThanOrEqual(3000)
    expect(first).toBeLessThan(6000)
    expect(second).toBeGreaterThanOrEqual(9000)
  })
})

test('who waits for a store that was given up waits no longer, whatever the rate', async () => {
  const clock = new VirtualClock()
  const policy = staticPacing({maxConcurrency: 2, maxWritesPerSecond: 50})
  const pacer = new LoadPacer({policy, patienceMillis: 10_000, clock})
  const silent = async (): Promise<void> => {
    await clock.sleep(1000)
    throw new StoreRefusal('timeout', new Error('no answer'))
  }
  const ended: number[] = []
  const send = async (): Promise<void> => {
    await pacer.admit(500)
    await pacer.send(500, silent).catch(() => undefined)
    ended.push(clock.now())
  }
  const all = [send(), send(), send()]
  await clock.runUntil(120_000)
  await Promise.all(all)
  expect(Math.max(...ended.slice(0, 2))).toBeLessThan(25_000)
  expect((ended[2] ?? 0) - (ended[1] ?? 0)).toBeLessThan(15_000)
})

test('a load that is stopped does not wait for its turn or for the store', async () => {
  const clock = new VirtualClock()
  const stop = new AbortController()
  const policy = staticPacing({maxConcurrency: 1, maxWritesPerSecond: 1000})
  const pacer = new LoadPacer({policy, patienceMillis: 100_000, clock, signal: stop.signal})
  let tries = 0
  const refused = async (): Promise<void> => {
    tries += 1
    await clock.sleep(1)
    throw new StoreRefusal('overloaded', new Error('too busy'))
  }
  const send = async (): Promise<unknown> => {
    await pacer.admit(2000)
    return pacer.send(2000, refused).catch((error: unknown) => error)
  }
  const all = Promise.all([send(), send()])
  await clock.runUntil(10)
  stop.abort(new Error('stopped'))
  await clock.runUntil(600)
  expect(await all).toEqual([new Error('stopped'), new Error('stopped')])
  expect(tries).toBe(1)
})
