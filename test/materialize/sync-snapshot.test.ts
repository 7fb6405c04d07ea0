import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {day, hour, Project, type SourceRow} from './project.js'

const now = 1000n * day
const row = (driver: bigint, event: bigint, trips: bigint, more: Partial<SourceRow> = {}): SourceRow => ({
  driver,
  event,
  created: event,
  trips,
  note: 'x',
  ...more,
})

let project: Project
beforeEach(async () => {
  project = await Project.create({stats: {sync: 'snapshot', ttl: day}})
})
afterEach(() => project[Symbol.asyncDispose]())

const ids = Array.from({length: 8}, (_, id) => BigInt(id))
async function online(): Promise<Record<string, unknown>> {
  const rows = await project.read('stats', ids)
  return Object.fromEntries([...rows].map(([id, {values}]) => [String(id), values[0]]))
}
async function sync(end = now): Promise<unknown> {
  const run = await project.load(end)
  expect(run).toMatchObject({status: 'ok'})
  return run.views[0]?.rows
}

describe('a view that is synced as a whole', () => {
  test('gets what is new or changed, loses what is gone, and leaves the rest alone', async () => {
    await project.writeSource('stats', [row(1n, now - hour, 1n), row(2n, now - hour, 2n), row(3n, now, 3n)])
    expect(await sync()).toMatchObject({written: 3, unchanged: 0, deleted: 0})
    await project.writeSource('stats', [
      row(1n, now - hour, 1n),
      // Other values at the same times; a row that went back in time; a new one.
      row(2n, now - hour, 20n),
      row(4n, now, 4n),
    ])
    expect(await sync(now + 1n)).toMatchObject({written: 2, unchanged: 1, deleted: 1})
    expect(await online()).toEqual({1: 1n, 2: 20n, 4: 4n})
    expect(await sync(now + 2n)).toMatchObject({written: 0, unchanged: 3, deleted: 0})
    expect(await project.state('stats')).toMatchObject({covered: [{start: null, end: now + 2n}]})
    expect(await readdir(join(project.directory, 'snapshots'))).toHaveLength(2)
  })

  test('takes a row back in time where the source says so', async () => {
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n, {created: now})])
    await sync()
    await project.writeSource('stats', [row(1n, now - day, 10n), row(2n, now, 20n, {created: now - hour})])
    expect(await sync(now + 1n)).toMatchObject({written: 2, deleted: 0})
    expect(await online()).toEqual({1: 10n, 2: 20n})
  })

  test('keeps rows that are older than the ttl while they are true', async () => {
    await project.writeSource('stats', [row(1n, now - 100n * day, 1n)])
    await sync()
    await sync(now + 10n * day)
    expect(await online()).toEqual({1: 1n})
  })

  test('compares with the state of the last sync that ended, whatever came between', async () => {
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n)])
    await sync()
    await project.writeSource('stats', [row(2n, now, 3n)])
    const stop = new AbortController()
    const run = await project.load(now + 1n, {
      signal: stop.signal,
      onProgress: ({phase}) => {
        if (phase === 'writing') stop.abort()
      },
    })
    expect(run.status).toBe('interrupted')
    // What is gone goes after all else is written.
    expect(await online()).toEqual({1: 1n, 2: 3n})
    expect(await sync(now + 1n)).toMatchObject({deleted: 1})
    expect(await online()).toEqual({2: 3n})
  })

  test('says what it can not delete where the state is gone', async () => {
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n)])
    await sync()
    await rm(join(project.directory, 'snapshots'), {recursive: true})
    await project.writeSource('stats', [row(2n, now, 3n)])
    const run = await project.load(now + 1n)
    expect(run).toMatchObject({status: 'ok', views: [{rows: {written: 1, deleted: 0}}]})
    expect(run.views[0]?.notes?.join()).toMatch(/written again.*stay online/)
  })

  test('does not go back to what its source was', async () => {
    await project.writeSource('stats', [row(1n, now, 1n)])
    await sync()
    const run = await project.load(now - hour)
    expect(run.views[0]?.notes?.join()).toContain('does not go back')
    expect(await online()).toEqual({1: 1n})
  })

  test('leaves what is online of a key whose new value does not fit', async () => {
    await project.apply({stats: {sync: 'snapshot', note: 'int32'}})
    await project.writeSource('stats', [row(1n, now, 1n, {note: '5'}), row(2n, now, 2n, {note: '5'})])
    await sync()
    await project.writeSource('stats', [
      row(1n, now + 1n, 10n, {note: 'odd'}),
      row(2n, now + 1n, 20n, {note: '6'}),
    ])
    const run = await project.load(now + 2n)
    expect(run.views[0]).toMatchObject({status: 'failed', rows: {written: 1, rejected: 1}})
    expect(run.views[0]?.error?.hint).toContain('the next run loads them')
    expect(await online()).toEqual({1: 1n, 2: 20n})
    await project.writeSource('stats', [row(2n, now + 1n, 20n, {note: '6'})])
    expect(await sync(now + 3n)).toMatchObject({deleted: 1})
    expect(await online()).toEqual({2: 20n})
  })

  test('is what the source says after any number of changes', async () => {
    const rows = fc.uniqueArray(
      fc.record({
        driver: fc.bigInt({min: 0n, max: 7n}),
        event: fc.integer({min: 1, max: 4}).map((hours) => now - BigInt(hours) * hour),
        trips: fc.bigInt({min: 0n, max: 3n}),
        created: fc.option(fc.integer({min: 1, max: 3}).map((hours) => now - BigInt(hours) * hour)),
      }),
      {selector: ({driver}) => driver, maxLength: 8},
    )
    let end = now
    await fc.assert(
      fc.asyncProperty(fc.array(rows, {minLength: 1, maxLength: 4}), async (sources) => {
        for (const source of sources) {
          await project.writeSource(
            'stats',
            source.map((one) => row(one.driver, one.event, one.trips, {created: one.created})),
          )
          end += 1n
          await sync(end)
          const found = await project.read('stats', ids)
          expect(
            Object.fromEntries(
              [...found].map(([id, {eventTimestamp, values}]) => [String(id), [eventTimestamp, values[0]]]),
            ),
          ).toEqual(Object.fromEntries(source.map((one) => [String(one.driver), [one.event, one.trips]])))
        }
      }),
      {numRuns: 12},
    )
  }, 120_000)
})
