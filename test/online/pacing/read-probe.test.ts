import {expect, test} from 'vitest'
import type {PacingClock} from '../../../src/online/pacing/load-pacer.js'
import {ReadProbe} from '../../../src/online/pacing/read-probe.js'
import {VirtualClock} from '../../support/virtual-clock.js'

/** A process that can be busy: time goes on, and nothing else of it. */
class BusyClock implements PacingClock {
  readonly virtual = new VirtualClock()
  #lost = 0

  now(): number {
    return this.virtual.now() + this.#lost
  }

  sleep(millis: number): Promise<void> {
    return this.virtual.sleep(millis)
  }

  beBusy(millis: number): void {
    this.#lost += millis
  }
}

async function probe(clock: BusyClock, read: () => Promise<unknown>, untilMillis: number): Promise<number[]> {
  const taken: number[] = []
  const probing = new ReadProbe({read, onRead: (millis) => void taken.push(millis), clock})
  await clock.virtual.runUntil(untilMillis)
  const ended = probing[Symbol.asyncDispose]()
  await clock.virtual.runUntil(untilMillis + 10_000)
  await ended
  return taken
}

test('tells what reads take, one after the other, and nothing of those that fail', async () => {
  const clock = new BusyClock()
  let count = 0
  const taken = await probe(
    clock,
    async () => {
      count += 1
      await clock.sleep([4, 30, 9][count - 1] ?? 4)
      if (count === 3) throw new Error('gone')
    },
    200,
  )
  expect(taken.slice(0, 3)).toEqual([4, 30, 4])
  expect(count).toBeGreaterThan(3)
})

test('takes off what the process was too busy to notice', async () => {
  const clock = new BusyClock()
  const taken = await probe(
    clock,
    async () => {
      // Before the request leaves, on its way, and when the answer is there.
      clock.beBusy(60)
      await clock.sleep(2)
      clock.beBusy(80)
      await clock.sleep(2)
      clock.beBusy(70)
    },
    0,
  )
  expect(taken[0]).toBeGreaterThanOrEqual(4)
  expect(taken[0]).toBeLessThan(20)
})

test('tells of a read that takes long while it does', async () => {
  const clock = new BusyClock()
  const taken: number[] = []
  const probing = new ReadProbe({
    read: () => clock.sleep(2000),
    onRead: (millis) => void taken.push(millis),
    clock,
  })
  await clock.virtual.runUntil(1000)
  expect(taken).toEqual([250, 500, 750, 1000])
  const ended = probing[Symbol.asyncDispose]()
  await clock.virtual.runUntil(3000)
  await ended
  expect(taken.at(-1)).toBe(2000)
})

test('measures up to the first read that fails, and no longer than it is wanted', async () => {
  const {virtual: clock} = new BusyClock()
  let reads = 0
  const failing = async (): Promise<void> => {
    reads += 1
    await clock.sleep(3)
    if (reads === 3) throw new Error('gone')
  }
  const measured = ReadProbe.measure(12, {read: failing, clock})
  await clock.runUntil(1000)
  expect(await measured).toEqual([3, 3])
  expect(reads).toBe(3)

  const stop = new AbortController()
  const stopping = (): Promise<void> => {
    reads += 1
    stop.abort(new Error('stopped'))
    return Promise.resolve()
  }
  await expect(ReadProbe.measure(12, {read: stopping, clock, signal: stop.signal})).rejects.toThrow('stopped')
  expect(reads).toBe(4)
})
