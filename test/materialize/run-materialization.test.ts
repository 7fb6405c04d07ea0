import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Instant} from '../../src/definitions/instant.js'
import type {MaterializeProgress} from '../../src/materialize/run-materialization.js'
import {day, hour, Project, type SourceRow} from './project.js'

const now = 1000n * day
const trip = (driver: bigint, event: Instant, trips: bigint, more: Partial<SourceRow> = {}): SourceRow => ({
  driver,
  event,
  created: event,
  trips,
  note: 'x',
  ...more,
})

let project: Project

async function tripsOnline(view = 'stats'): Promise<Record<string, unknown>> {
  const rows = await project.read(view, [1n, 2n, 3n, 4n])
  return Object.fromEntries([...rows].map(([driver, row]) => [String(driver), row.values[0]]))
}

beforeEach(async () => {
  project = await Project.create({stats: {}})
})
afterEach(() => project[Symbol.asyncDispose]())

describe('an incremental run', () => {
  test('loads all history first, and says what it did', async () => {
    await project.writeSource('stats', [
      trip(1n, now - 2n * day, 5n),
      trip(1n, now - day, 6n),
      trip(2n, now, 7n),
    ])
    const run = await project.load(now)
    expect(run).toMatchObject({
      command: 'materialize-incremental',
      status: 'ok',
      views: [
        {
          name: 'stats',
          status: 'ok',
          intervals: [{start: null, end: now}],
          rows: {read: 3, written: 2, unchanged: 0, rejected: 0, deleted: 0},
        },
      ],
    })
    expect(run.finishedAt).toBeGreaterThanOrEqual(run.startedAt)
    expect(await tripsOnline()).toEqual({1: 6n, 2: 7n})
    expect(await project.state('stats')).toMatchObject({
      covered: [{start: null, end: now}],
      newestEventTimestamp: now,
      lastRun: {runId: run.id, status: 'ok'},
    })
    expect((await project.document()).runs).toEqual([run])
  })

  test('leaves no lease behind', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    await project.load(now)
    expect(await project.state('stats')).not.toHaveProperty('lease')
  })

  test('loads then only what is new', async () => {
    await project.writeSource('stats', [trip(1n, now - day, 5n)])
    await project.load(now)
    await project.writeSource('stats', [trip(1n, now - day, 5n), trip(2n, now + hour, 6n)])
    const run = await project.load(now + day)
    expect(run.views[0]).toMatchObject({
      intervals: [{start: now, end: now + day}],
      rows: {read: 1, written: 1},
    })
    expect(await tripsOnline()).toEqual({1: 5n, 2: 6n})
  })

  test('fills a hole that loads of parts left', async () => {
    await project.writeSource('stats', [
      trip(1n, now - 9n * day, 1n),
      trip(2n, now - 5n * day, 2n),
      trip(3n, now, 3n),
    ])
    const part = (from: bigint, to: bigint) =>
      project.run({command: 'materialize', start: now - from * day, end: now - to * day, now: () => now})
    await part(10n, 8n)
    await part(1n, 0n)
    expect(await tripsOnline()).toEqual({1: 1n, 3: 3n})
    const run = await project.load(now)
    expect(run.views[0]?.intervals).toEqual([
      {start: null, end: now - 10n * day},
      {start: now - 8n * day, end: now - day},
    ])
    expect(await tripsOnline()).toEqual({1: 1n, 2: 2n, 3: 3n})
    expect((await project.state('stats')).covered).toEqual([{start: null, end: now}])
  })

  test('says of an empty interval what the newest row is', async () => {
    await project.writeSource('stats', [trip(1n, now - day, 5n)])
    await project.load(now)
    const run = await project.load(now + day)
    expect(run.views[0]?.notes).toEqual([
      '0 rows in (1972-09-27T00:00:00Z, 1972-09-28T00:00:00Z]; newest row in the source is 1972-09-26T00:00:00Z',
    ])
    expect((await project.load(now + day)).views[0]?.notes).toEqual([
      'nothing new to load; newest row in the source is 1972-09-26T00:00:00Z',
    ])
  })

  test('of an empty source covers nothing wrongly: its first rows are late ones', async () => {
    await project.writeSource('stats', [])
    expect((await project.load(now)).views[0]?.notes).toEqual([
      '0 rows in (the beginning, 1972-09-27T00:00:00Z]; the source has no row with an event time',
    ])
    await project.writeSource('stats', [trip(1n, now - day, 5n)])
    await project.load(now)
    expect(await tripsOnline()).toEqual({1: 5n})
  })

  test('cuts an end in the future to now, and says so', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n), trip(1n, now + hour, 6n)])
    const run = await project.load(now, {end: now + 400n * day})
    expect(run.views[0]).toMatchObject({
      intervals: [{start: null, end: now}],
      notes: ['END 1973-11-01T00:00:00Z is in the future and was cut to 1972-09-27T00:00:00Z'],
    })
    expect(await tripsOnline()).toEqual({1: 5n})
  })

  test('is not misled by a row created in the future', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n, {created: now + 900n * day})])
    await project.load(now)
    expect((await project.state('stats')).arrival).toEqual({created: now, rows: 0})
    await project.writeSource('stats', [
      trip(1n, now, 5n, {created: now + 900n * day}),
      trip(2n, now - day, 6n, {created: now + hour}),
    ])
    await project.load(now + day)
    expect(await tripsOnline()).toEqual({1: 5n, 2: 6n})
  })

  test('takes a correction: the same event time, created later', async () => {
    await project.writeSource('stats', [trip(1n, now - day, 5n)])
    await project.load(now)
    await project.writeSource('stats', [
      trip(1n, now - day, 5n),
      trip(1n, now - day, 4n, {created: now + hour}),
    ])
    const run = await project.load(now + day)
    expect(run.views[0]?.rows).toMatchObject({read: 1, written: 1})
    expect(await tripsOnline()).toEqual({1: 4n})
  })

  test('says of what is past the ttl that it does not stay, whatever was loaded before', async () => {
    await project.apply({stats: {ttl: day}})
    await project.writeSource('stats', [trip(1n, now - day / 2n, 5n)])
    const notesOf = async (present: bigint) =>
      (await project.run({command: 'materialize', start: now - day, end: now, now: () => present})).views[0]
        ?.notes ?? []
    expect(await notesOf(now)).toEqual([])
    for (const present of [now + 30n * day, now + 60n * day])
      expect(await notesOf(present)).toEqual([
        'all rows up to 1972-09-27T00:00:00Z are past the ttl and `expire_after`, and do not stay online; `--now` loads as of another time',
      ])
  })

  test('frees the space of expired rows about once in expire_after', async () => {
    await project.apply({stats: {ttl: day}})
    await project.writeSource('stats', [
      trip(1n, now, 5n),
      trip(3n, now + 2n * day + hour / 2n, 7n),
      trip(2n, now + 4n * day, 6n),
    ])
    const deletedBy = async (end: Instant) => (await project.load(end)).views[0]?.rows.deleted
    expect(await deletedBy(now)).toBe(0)
    expect(await deletedBy(now + 3n * day)).toBe(1)
    expect(await tripsOnline()).toEqual({3: 7n})
    expect(await deletedBy(now + 4n * day)).toBe(0)
    // The row of driver 3 could go now, and goes when the next day begins.
    expect(await deletedBy(now + 4n * day + hour)).toBe(0)
    expect(await tripsOnline()).toEqual({2: 6n, 3: 7n})
    expect(await deletedBy(now + 5n * day)).toBe(1)
    expect(await tripsOnline()).toEqual({2: 6n})
    expect((await project.state('stats')).covered).toEqual([
      {start: now + 3n * day - 1n, end: now + 5n * day},
    ])
  })
})

describe('materialize START END', () => {
  test('loads the interval again, whatever is covered, and older rows change nothing', async () => {
    await project.writeSource('stats', [trip(1n, now - 2n * day, 5n), trip(1n, now, 6n)])
    await project.load(now)
    const run = await project.run({command: 'materialize', start: null, end: now - day, now: () => now})
    expect(run.views[0]).toMatchObject({
      intervals: [{start: null, end: now - day}],
      rows: {read: 1, written: 0, unchanged: 1},
    })
    expect(await tripsOnline()).toEqual({1: 6n})
  })

  test.each([
    [now, now, 'START 1972-09-27T00:00:00Z is not before END 1972-09-27T00:00:00Z.'],
    [
      now + day,
      now + 2n * day,
      'START 1972-09-28T00:00:00Z is not before END 1972-09-27T00:00:00Z, which was cut to now.',
    ],
  ])('refuses an interval that holds nothing', async (start, end, message) => {
    const run = project.run({command: 'materialize', start, end, now: () => now})
    await expect(run).rejects.toMatchObject({code: 'FS_ARGUMENT_INVALID', message})
    expect((await project.document()).runs).toEqual([])
  })
})

describe('the views of a run', () => {
  test('that are named and unknown', async () => {
    const run = project.load(now, {views: ['stast']})
    await expect(run).rejects.toMatchObject({
      code: 'FS_REFERENCE_UNKNOWN',
      message: 'There is no applied feature view `stast`. Did you mean `stats`?',
      hint: 'Name one of: stats. `fs apply` registers new ones.',
    })
  })

  test('that are named and not online', async () => {
    await project.apply({stats: {}, history: {online: false}})
    const run = project.load(now, {views: ['history']})
    await expect(run).rejects.toMatchObject({
      code: 'FS_ARGUMENT_INVALID',
      message: "feature_view/history is not online, so it can't be loaded.",
    })
  })

  test('are those that are online', async () => {
    await project.apply({stats: {}, history: {online: false}})
    await project.writeSource('stats', [trip(1n, now, 5n)])
    expect((await project.load(now)).views.map((view) => view.name)).toEqual(['stats'])
  })

  test('when none is online, or none applied', async () => {
    await project.apply({history: {online: false}})
    await expect(project.load(now)).rejects.toMatchObject({
      code: 'FS_NOT_APPLIED',
      message: 'No applied feature view is online, so there is nothing to load.',
    })
    await project.apply({})
    await expect(project.load(now)).rejects.toMatchObject({code: 'FS_NOT_APPLIED', hint: 'Run `fs apply`.'})
  })

  test('do not stop each other when one fails', async () => {
    await project.apply({a: {}, gone: {}, z: {}})
    await project.writeSource('a', [trip(1n, now, 5n)])
    await project.writeSource('z', [trip(1n, now, 6n)])
    const run = await project.load(now, {parallel: 1})
    expect(run.status).toBe('failed')
    expect(run.views.map(({name, status}) => [name, status])).toEqual([
      ['a', 'ok'],
      ['gone', 'failed'],
      ['z', 'ok'],
    ])
    expect(run.views[1]?.error?.message).toContain('gone.parquet')
    expect(await project.state('gone')).toMatchObject({
      covered: [],
      lastRun: {runId: run.id, status: 'failed'},
    })
    expect(await project.state('gone')).not.toHaveProperty('lease')
    expect(await tripsOnline('z')).toEqual({1: 6n})
  })

  test('show how far they are', async () => {
    await project.writeManyDrivers('stats', 5000, now)
    const events: MaterializeProgress[] = []
    await project.load(now, {onProgress: (event) => events.push(event)})
    expect(
      events.map((event) => event.phase).filter((phase, index, all) => phase !== all[index - 1]),
    ).toEqual(['reading', 'writing', 'done'])
    const rows = events.map((event) => event.rows)
    expect(rows).toEqual([...rows].sort((a, b) => a - b))
    expect(rows.at(-1)).toBe(5000)
    expect(events.at(-2)?.approximateTotal).toBeGreaterThan(4000)
  })
})

describe('rows that cannot be written', () => {
  test('are kept with their reason, and all others are loaded', async () => {
    await project.apply({stats: {note: 'int32'}})
    await project.writeSource('stats', [
      trip(null as unknown as bigint, now, 9_007_199_254_740_993n, {note: '1'}),
      trip(1n, now - day, 5n, {note: '10'}),
      trip(1n, now, 9_007_199_254_740_993n, {note: 'ten'}),
      trip(2n, now, 7n, {note: '20'}),
    ])
    const run = await project.load(now)
    const [view] = run.views
    expect(view).toMatchObject({
      status: 'failed',
      intervals: [{start: null, end: now}],
      rows: {read: 4, written: 1, rejected: 2},
      error: {code: 'FS_REJECTS_EXCEEDED'},
      rejectsFile: `rejects/${run.id}/stats.jsonl`,
    })
    // The newest row was rejected, and no older one took its place.
    expect(await tripsOnline()).toEqual({2: 7n})
    expect((await project.state('stats')).covered).toEqual([{start: null, end: now}])
    expect(await project.rejects(view?.rejectsFile)).toEqual([
      '{"reason":"a join key is null or does not fit its type (driver_id int64)","view":"stats","key":{"driver_id":null},' +
        '"event_timestamp":"1972-09-27T00:00:00Z","created_timestamp":"1972-09-27T00:00:00Z",' +
        '"values":{"trips":9007199254740993,"note":"1"}}',
      '{"reason":"note: ten does not fit its type","view":"stats","key":{"driver_id":1},' +
        '"event_timestamp":"1972-09-27T00:00:00Z","created_timestamp":"1972-09-27T00:00:00Z",' +
        '"values":{"trips":9007199254740993,"note":null}}',
    ])
  })

  test('are those that the store refuses, too', async () => {
    await project.apply({remarks: {key: 'note'}})
    const long = 'x'.repeat(3000)
    await project.writeSource('remarks', [trip(1n, now, 5n, {note: 'a'}), trip(2n, now, 6n, {note: long})])
    const run = await project.load(now, {maxRejects: 5})
    expect(run).toMatchObject({status: 'ok', views: [{rows: {read: 2, written: 1, rejected: 1}}]})
    const [line = ''] = await project.rejects(run.views[0]?.rejectsFile)
    expect(JSON.parse(line)).toMatchObject({view: 'remarks', key: {note: long}, values: {trips: 6}})
    expect(line).toContain('is the most')
  })

  test('a row without an event time is rejected alone, once', async () => {
    const timeless = trip(3n, null as unknown as bigint, 5n)
    await project.writeSource('stats', [timeless, trip(2n, now, 7n)])
    const run = await project.load(now, {maxRejects: 1})
    expect(run).toMatchObject({status: 'ok', views: [{rows: {read: 2, written: 1, rejected: 1}}]})
    const [line = ''] = await project.rejects(run.views[0]?.rejectsFile)
    expect(line).toContain('"reason":"event_timestamp is null"')
    // It is in no later interval; a whole load tells it again.
    expect(await project.load(now + hour)).toMatchObject({status: 'ok', views: [{rows: {rejected: 0}}]})
    const whole = {command: 'materialize', start: null, end: now, now: () => now} as const
    expect(await project.run(whole)).toMatchObject({status: 'failed', views: [{rows: {rejected: 1}}]})
  })

  test('are allowed up to --max-rejects', async () => {
    await project.writeSource('stats', [trip(null as unknown as bigint, now, 1n), trip(2n, now, 7n)])
    const run = await project.load(now, {maxRejects: 1})
    expect(run).toMatchObject({
      status: 'ok',
      views: [{status: 'ok', rows: {read: 2, written: 1, rejected: 1}}],
    })
  })

  test('leave no file when there are none', async () => {
    await project.writeSource('stats', [trip(2n, now, 7n)])
    const run = await project.load(now)
    expect(run.views[0]).not.toHaveProperty('rejectsFile')
  })
})

describe('a run that is stopped', () => {
  test('keeps what it wrote, covers nothing and holds nothing', async () => {
    await project.apply({stats: {}, z: {}})
    await project.writeManyDrivers('stats', 50_000, now)
    await project.writeManyDrivers('z', 10, now)
    const stop = new AbortController()
    const run = await project.load(now, {
      parallel: 1,
      signal: stop.signal,
      onProgress: (event) => {
        if (event.phase === 'writing') stop.abort()
      },
    })
    expect(run.status).toBe('interrupted')
    expect(run.views.map((view) => view.error?.code)).toEqual(['FS_INTERRUPTED', 'FS_INTERRUPTED'])
    expect(run.views[0]?.rows.written).toBeGreaterThan(0)
    for (const view of ['stats', 'z']) {
      expect(await project.state(view)).toMatchObject({covered: [], lastRun: {status: 'failed'}})
      expect(await project.state(view)).not.toHaveProperty('lease')
    }
    expect(await tripsOnline()).toEqual({1: 10n, 2: 20n, 3: 30n, 4: 40n})
    expect((await project.document()).runs).toEqual([run])
    expect(await project.load(now)).toMatchObject({status: 'ok'})
  })

  test('by a signal that was given before, loads nothing', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const run = await project.load(now, {signal: AbortSignal.abort()})
    expect(run).toMatchObject({status: 'interrupted', views: [{rows: {written: 0}}]})
    expect(await tripsOnline()).toEqual({})
  })
})

test('a run whose listener fails when a view is done loads all, gives back what it holds, and tells it', async () => {
  await project.apply({stats: {}, z: {}})
  for (const view of ['stats', 'z']) await project.writeSource(view, [trip(1n, now, 5n)])
  const broken = new Error('the listener is broken')
  const run = project.load(now, {
    parallel: 1,
    onProgress: ({phase}) => {
      if (phase === 'done') throw broken
    },
  })
  await expect(run).rejects.toBe(broken)
  for (const view of ['stats', 'z']) expect(await project.state(view)).not.toHaveProperty('lease')
  const [record] = (await project.document()).runs
  expect(record).toMatchObject({
    status: 'ok',
    views: [
      {name: 'stats', status: 'ok'},
      {name: 'z', status: 'ok'},
    ],
  })
})

describe('a view that changes while it is loaded', () => {
  /** Does something in the middle of the load. */
  const meanwhile = (act: () => Promise<void>) => ({
    openOnlineStore: async () => {
      await act()
      return project.online
    },
  })

  test('is not covered, and is loaded by the next run', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const change = () =>
      project.change((document) => ({
        ...document,
        definitions: {
          ...document.definitions,
          dataSources: document.definitions.dataSources.map((source) => ({
            ...source,
            timestampField: 'created',
          })),
        },
      }))
    const run = await project.load(now, meanwhile(change))
    expect(run.views[0]?.error?.code).toBe('FS_VIEW_CHANGED')
    expect(await project.state('stats')).toMatchObject({covered: [], lastRun: {status: 'failed'}})
    expect(await project.state('stats')).not.toHaveProperty('lease')
    expect(await project.load(now)).toMatchObject({status: 'ok'})
  })

  // Rows that were written before expire when the old ttl says.
  test.each([
    ['longer', 30n * day],
    ['absent', undefined],
  ])('to a ttl that is %s, is not covered, and is loaded by the next run', async (_, ttl) => {
    await project.apply({stats: {ttl: 7n * day}})
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const run = await project.load(
      now,
      meanwhile(() => project.apply({stats: ttl === undefined ? {} : {ttl}})),
    )
    expect(run.views[0]?.error?.code).toBe('FS_VIEW_CHANGED')
    expect(await project.state('stats')).toMatchObject({covered: []})
    expect(await project.load(now)).toMatchObject({status: 'ok', views: [{rows: {read: 1}}]})
  })

  test('to another table, is not covered', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const run = await project.load(
      now,
      meanwhile(() => project.changeState('stats', {table: 'stats__2'})),
    )
    expect(run.views[0]?.error?.code).toBe('FS_VIEW_CHANGED')
    expect(await project.state('stats')).toMatchObject({covered: []})
  })

  test('to a table that was dropped meanwhile, is dropped once more: some of its rows may have come since', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const {table} = await project.state('stats')
    await project.load(
      now,
      meanwhile(async () => {
        await project.changeState('stats', {table: 'stats__2'})
        await project.change((document) => ({...document, formerTables: [table]}))
      }),
    )
    expect((await project.document()).pendingDrops).toEqual([table])
  })

  test('only in its description, is covered', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const change = () =>
      project.change((document) => ({
        ...document,
        definitions: {
          ...document.definitions,
          featureViews: document.definitions.featureViews.map((view) => ({...view, description: 'trips'})),
        },
      }))
    expect(await project.load(now, meanwhile(change))).toMatchObject({status: 'ok'})
  })

  test('and is gone, fails, and leaves nothing of it', async () => {
    await project.apply({stats: {}, z: {}})
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const run = await project.load(now, {
      views: ['stats'],
      ...meanwhile(() => project.apply({z: {}})),
    })
    expect(run.views[0]?.error?.code).toBe('FS_VIEW_CHANGED')
    expect((await project.document()).views).not.toHaveProperty('stats')
  })

  test('and changes hands, is not covered by the run that lost it, and stays with the other', async () => {
    await project.writeSource('stats', [trip(1n, now, 5n)])
    const other = {
      runId: 'other',
      holder: {host: 'elsewhere', pid: 7, bootId: 'b', startedAt: '1'},
      since: now,
      expiresAt: 2n ** 61n,
    }
    const run = await project.load(
      now,
      meanwhile(() => project.changeState('stats', {lease: other})),
    )
    expect(run.views[0]?.error?.code).toBe('FS_LEASE_LOST')
    expect(await project.state('stats')).toMatchObject({covered: [], lease: other})
  })
})
