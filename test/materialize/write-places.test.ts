import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, test, vi} from 'vitest'
import {WritePlace, type PlaceRequest} from '../../src/materialize/write-places.js'
import type {SharedNote} from '../../src/online/shared-note.js'

/** A text in memory, a moment away, with a clock of its own. */
class MemoryNote implements SharedNote {
  text: string | undefined
  aheadMillis = 0
  isCutOff = false

  async read() {
    await this.#travel()
    return {text: this.text, nowMillis: performance.now() + this.aheadMillis}
  }

  async replace(expected: string | undefined, text: string): Promise<boolean> {
    await this.#travel()
    if (this.text !== expected) return false
    this.text = text
    return true
  }

  async #travel(): Promise<void> {
    await sleep(Math.random() * 3)
    if (this.isCutOff) throw new Error('no way to the store')
  }
}

const second = 1_000_000n
const processOf = (pid: number) => ({host: 'a', pid, bootId: 'b', startedAt: 'c'})

function request(run: number, more: Partial<PlaceRequest> = {}): PlaceRequest {
  return {
    runId: `run-${run}`,
    process: processOf(run),
    isAlive: () => undefined,
    places: 2,
    timeout: 30n * second,
    ...more,
  }
}

describe('places of runs that write', () => {
  test('never more have one than may, each gets its turn, and numbers only grow', async () => {
    const note = new MemoryNote()
    let held = 0
    let most = 0
    const fences: number[] = []
    await Promise.all(
      Array.from({length: 6}, async (_, run) => {
        const place = await WritePlace.take(note, request(run))
        held += 1
        most = Math.max(most, held)
        fences.push((JSON.parse(note.text ?? '') as {fence: number}).fence)
        // Whoever comes first stays until there are two, however long the others take to try again.
        await vi.waitUntil(() => most >= 2, {timeout: 10_000, interval: 1})
        await sleep(20)
        place.check()
        held -= 1
        await place[Symbol.asyncDispose]()
      }),
    )
    expect(most).toBe(2)
    expect(fences).toHaveLength(6)
    expect(JSON.parse(note.text ?? '')).toEqual({fence: 6, held: []})
  })

  test('who waits is told for whom, and in the end that it was in vain', async () => {
    const note = new MemoryNote()
    await using _one = await WritePlace.take(note, request(1))
    await using _two = await WritePlace.take(note, request(2))
    const told: (readonly string[])[] = []
    const third = WritePlace.take(
      note,
      request(3, {timeout: second / 10n, onWait: (holders) => told.push(holders)}),
    )
    await expect(third).rejects.toMatchObject({
      code: 'FS_STORE_BUSY',
      message: expect.stringMatching(/2 runs .* run run-1, process 1 on a; run run-2, process 2 on a/),
    })
    expect(told).toEqual([['run run-1, process 1 on a', 'run run-2, process 2 on a']])
  })

  test('the place of a process that is surely gone is free at once', async () => {
    const note = new MemoryNote()
    await using _one = await WritePlace.take(note, request(1))
    await using _two = await WritePlace.take(note, request(2))
    const isAlive: PlaceRequest['isAlive'] = ({pid}) => (pid === 1 ? false : undefined)
    await using third = await WritePlace.take(note, request(3, {isAlive, timeout: 0n}))
    third.check()
  })

  test('of one that nobody can see, when its lease ends by the clock of the store', async () => {
    const note = new MemoryNote()
    await using _one = await WritePlace.take(note, request(1, {places: 1}))
    const next = request(2, {places: 1, timeout: 0n})
    note.aheadMillis = 59_000
    await expect(WritePlace.take(note, next)).rejects.toMatchObject({code: 'FS_STORE_BUSY'})
    note.aheadMillis = 61_000
    await using second = await WritePlace.take(note, next)
    second.check()
  })

  test('a run that lives keeps its place for longer than a lease', async () => {
    const note = new MemoryNote()
    await using place = await WritePlace.take(note, request(1, {places: 1, leaseMillis: 1500}))
    await sleep(2500)
    place.check()
    await expect(WritePlace.take(note, request(2, {places: 1, timeout: 0n}))).rejects.toMatchObject({
      code: 'FS_STORE_BUSY',
    })
  })

  test('a run that was cut off from the store for as long as a lease stops, and goes on if nobody came', async () => {
    const note = new MemoryNote()
    await using place = await WritePlace.take(note, request(1, {leaseMillis: 400}))
    note.isCutOff = true
    await sleep(450)
    expect(() => place.check()).toThrow(expect.objectContaining({code: 'FS_LEASE_LOST'}))
    expect(place.isLost).toBe(false)
    note.isCutOff = false
    await vi.waitFor(() => place.check())
  })

  test('a run whose place was given to another writes no more, and leaves it to the other', async () => {
    const note = new MemoryNote()
    const place = await WritePlace.take(note, request(1, {places: 1, leaseMillis: 400}))
    const isAlive: PlaceRequest['isAlive'] = ({pid}) => (pid === 1 ? false : undefined)
    await using other = await WritePlace.take(note, request(2, {places: 1, isAlive}))
    await vi.waitFor(() => expect(place.isLost).toBe(true))
    expect(() => place.check()).toThrow(expect.objectContaining({code: 'FS_LEASE_LOST'}))
    await place[Symbol.asyncDispose]()
    other.check()
    await expect(WritePlace.take(note, request(3, {places: 1, timeout: 0n}))).rejects.toMatchObject({
      message: expect.stringContaining('run run-2'),
    })
  })
})
