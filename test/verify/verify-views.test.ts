import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Instant} from '../../src/definitions/instant.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import type {VerifyProgress} from '../../src/verify/verification.js'
import {day, hour, Project, type SourceRow} from '../materialize/project.js'
import {meanwhile, replaceOnline, row, tableOf, verify, verifyOne, writeOnline} from './project.js'

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

/** Each example as `kind driver`. */
async function found(at = now, options: Parameters<typeof verify>[2] = {}): Promise<readonly string[]> {
  const {examples} = await verifyOne(project, at, options)
  return examples.map(({kind, key}) => `${kind} ${String(key[0]?.value)}`)
}

beforeEach(async () => {
  project = await Project.create({stats: {}})
  await project.writeSource('stats', [
    trip(1n, now - 2n * day, 1n),
    trip(1n, now - day, 10n),
    trip(2n, now - day, 20n),
    trip(3n, now - 9n * day, 30n, {note: null}),
  ])
})
afterEach(() => project[Symbol.asyncDispose]())

describe('after a load', () => {
  beforeEach(async () => {
    await project.load(now)
  })

  test('every key is equal, as of the watermark', async () => {
    expect(await verify(project, now + day)).toEqual({
      differences: 0,
      views: [
        {
          name: 'stats',
          status: 'checked',
          asOf: now,
          checked: 3,
          equal: 3,
          due: 0,
          missing: 0,
          extra: 0,
          different: 0,
          rejected: 0,
          examples: [],
          notes: [],
        },
      ],
    })
  })

  test('a row that is gone is missing', async () => {
    await project.online.removeExpired(await tableOf(project), now - 8n * day)
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({checked: 3, equal: 2, missing: 1})
    expect(view.examples).toEqual([
      {
        kind: 'missing',
        key: [{name: 'driver_id', valueType: 'int64', value: 3n}],
        eventTimestamp: {expected: now - 9n * day, found: null},
        features: [
          {name: 'trips', valueType: 'int64', expected: 30n, found: null},
          {name: 'note', valueType: 'string', expected: null, found: null},
        ],
      },
    ])
  })

  test('a changed value is different, and only that feature is shown', async () => {
    await writeOnline(project, [row(1n, now - day, [11n, 'x'], now - day)])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({checked: 3, equal: 2, different: 1})
    expect(view.examples).toMatchObject([
      {
        kind: 'different',
        key: [{value: 1n}],
        eventTimestamp: {expected: now - day, found: now - day},
        features: [{name: 'trips', expected: 10n, found: 11n}],
      },
    ])
    expect(view.examples[0]?.features).toHaveLength(1)
  })

  test('an older row is different, even with the same values', async () => {
    await replaceOnline(project, [
      row(1n, now - 2n * day, [1n, 'x']),
      row(2n, now - 2n * day, [20n, 'x']),
      row(3n, now - 9n * day, [30n, null]),
    ])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({equal: 1, different: 2})
    expect(view.examples).toMatchObject([
      {key: [{value: 1n}], features: [{name: 'trips', expected: 10n, found: 1n}]},
      {key: [{value: 2n}], eventTimestamp: {expected: now - day, found: now - 2n * day}, features: []},
    ])
  })

  test('a null and a value are different', async () => {
    await writeOnline(project, [row(3n, now - 9n * day, [null, ''], now)])
    expect((await verifyOne(project, now)).examples).toMatchObject([
      {
        features: [
          {name: 'trips', expected: 30n, found: null},
          {name: 'note', expected: null, found: ''},
        ],
      },
    ])
  })

  test('a row newer than any of the source is extra', async () => {
    await writeOnline(project, [row(2n, now - hour, [20n, 'x'])])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({equal: 2, extra: 1})
    expect(view.examples).toMatchObject([
      {kind: 'extra', key: [{value: 2n}], eventTimestamp: {expected: now - day, found: now - hour}},
    ])
  })

  test('a row with a time of the source and other values than it has then is different', async () => {
    await project.writeSource('stats', [trip(2n, now - day, 20n), trip(2n, now + hour, 21n)])
    await writeOnline(project, [row(2n, now + hour, [22n, 'x'])])
    expect((await verifyOne(project, now)).examples).toMatchObject([
      {
        kind: 'different',
        eventTimestamp: {expected: now + hour, found: now + hour},
        features: [{name: 'trips', expected: 21n, found: 22n}],
      },
    ])
  })

  test('a row of a key that the source does not have is counted where every key is checked', async () => {
    await writeOnline(project, [row(9n, now - day, [1n, null])])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({checked: 4, equal: 3, extra: 1, examples: []})
    expect(view.notes).toEqual([
      expect.stringContaining('rows online whose keys the source does not have: 1'),
    ])
    expect(await verifyOne(project, now, {sample: {size: 100, seed: 0n}})).toMatchObject({
      checked: 3,
      equal: 3,
      notes: [],
    })
  })

  test('a row newer than the watermark is equal when the source has it', async () => {
    await project.writeSource('stats', [
      trip(1n, now - day, 10n),
      trip(1n, now + hour, 11n),
      trip(1n, now + 2n * hour, 12n),
      trip(2n, now - day, 20n),
      trip(3n, now - 9n * day, 30n, {note: null}),
      trip(4n, now + hour, 40n),
    ])
    await writeOnline(project, [row(1n, now + hour, [11n, 'x']), row(4n, now + hour, [40n, 'x'])])
    expect(await verifyOne(project, now + day)).toMatchObject({asOf: now, checked: 4, equal: 4, notes: []})
  })

  test('what comes into the source and is loaded meanwhile is no difference', async () => {
    const happen = async (): Promise<void> => {
      await project.writeSource('stats', [
        trip(1n, now - day, 10n),
        trip(1n, now + hour, 11n),
        trip(2n, now - day, 20n),
        trip(2n, now - day, 19n, {created: now + hour}),
        trip(3n, now - 9n * day, 30n, {note: null}),
        trip(4n, now + hour, 40n),
      ])
      await project.load(now + day)
    }
    const view = await verifyOne(project, now, meanwhile(project, happen))
    expect(view).toMatchObject({asOf: now, checked: 3, equal: 3, notes: []})
  })

  test('of two corrections that come meanwhile one may be loaded and one due', async () => {
    const happen = async (): Promise<void> => {
      await project.writeSource('stats', [
        trip(1n, now - day, 10n),
        trip(2n, now - day, 20n),
        trip(2n, now - day, 21n, {created: now + hour}),
        trip(2n, now - day, 22n, {created: now + 2n * hour}),
        trip(3n, now - 9n * day, 30n, {note: null}),
      ])
      await writeOnline(project, [row(2n, now - day, [21n, 'x'], now + hour)])
    }
    const view = await verifyOne(project, now, meanwhile(project, happen))
    expect(view).toMatchObject({checked: 3, equal: 2, due: 1})
  })

  test('a row that came late to a replica is read again', async () => {
    const {online} = project
    let reads = 0
    const lagging: OnlineStore = {
      writeOrder: 'key',
      isPaced: false,
      notes: online.notes,
      loads: online.loads,
      prepare: (tables) => online.prepare(tables),
      drop: (tables) => online.drop(tables),
      listTables: () => online.listTables(),
      nameForOthers: (table) => online.nameForOthers(table),
      volatileServers: () => online.volatileServers(),
      examine: (clock) => online.examine(clock),
      write: (table, rows) => online.write(table, rows),
      remove: (table, rows) => online.remove(table, rows),
      countRows: (table) => online.countRows(table),
      removeExpired: (table, before) => online.removeExpired(table, before),
      [Symbol.asyncDispose]: () => Promise.resolve(),
      read: async (requests) => {
        const answers = await online.read(requests)
        return (reads += 1) === 1 ? answers.map((rows) => rows.map(() => undefined)) : answers
      },
    }
    const openOnlineStore = () => Promise.resolve(lagging)
    expect(await verifyOne(project, now, {openOnlineStore})).toMatchObject({equal: 3, missing: 0})
  })

  test('late rows and corrections wait for the next run, and are no difference', async () => {
    const late = [
      trip(1n, now - day, 10n),
      trip(1n, now - day, 12n, {created: now + hour}),
      trip(2n, now - day, 20n),
      trip(3n, now - 9n * day, 30n, {note: null}),
      trip(5n, now - 5n * day, 50n, {created: now + hour}),
    ]
    await project.writeSource('stats', late)
    expect(await verifyOne(project, now + day)).toMatchObject({checked: 4, equal: 2, due: 2, examples: []})
    await project.load(now + day)
    expect(await verifyOne(project, now + day)).toMatchObject({checked: 4, equal: 4, due: 0})
  })

  test('rows created in the very instant that was seen last wait too, when they are more by now', async () => {
    const rows = [
      trip(1n, now - day, 10n),
      trip(2n, now - day, 20n),
      trip(3n, now - 9n * day, 30n, {note: null}),
    ]
    await project.writeSource('stats', [...rows, trip(5n, now - 5n * day, 50n, {created: now - day})])
    expect(await verifyOne(project, now)).toMatchObject({equal: 3, due: 1, missing: 0})
  })

  test('a source that was changed behind every clock is a difference', async () => {
    await project.writeSource('stats', [
      trip(1n, now - day, 10n),
      trip(2n, now - day, 21n),
      trip(6n, now - 3n * day, 60n),
      trip(3n, now - 9n * day, 30n, {note: null}),
    ])
    expect(await found()).toEqual(['different 2', 'missing 6'])
  })

  test('a store that lost everything is said', async () => {
    await project.online.drop(['stats'])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({missing: 3, equal: 0})
    expect(view.notes).toEqual([expect.stringContaining('no longer holds what was loaded')])
  })

  test('keeps so many examples of each kind, and counts all', async () => {
    await replaceOnline(project, [row(3n, now, [1n, null])])
    expect(await verifyOne(project, now, {examplesOfKind: 1})).toMatchObject({
      missing: 2,
      extra: 1,
      examples: [{kind: 'missing'}, {kind: 'extra'}],
    })
  })

  test('says that a run was at it', async () => {
    const holder = {host: 'h', pid: 1, bootId: '', startedAt: ''}
    await project.changeState('stats', {
      lease: {runId: 'run-x', holder, since: now, expiresAt: now + day},
    })
    expect((await verifyOne(project, now)).notes).toEqual(['run run-x was loading it when this began'])
    expect((await verifyOne(project, now, {isHeld: () => false})).notes).toEqual([])
  })

  test('a view that is applied anew meanwhile fails, since what was compared is gone', async () => {
    const read = async () => {
      const snapshot = await project.registry.read()
      await project.changeState('stats', {table: 'stats_2'})
      return snapshot
    }
    const view = await verifyOne(project, now, {registry: {read}})
    expect(view).toMatchObject({status: 'failed', error: {code: 'FS_VIEW_CHANGED'}})
  })

  test('stops when it is told to', async () => {
    const stop = new AbortController()
    const progress: VerifyProgress[] = []
    const stopped = verify(project, now, {
      signal: stop.signal,
      onProgress: (event) => {
        progress.push(event)
        stop.abort(new Error('enough'))
      },
    })
    await expect(stopped).rejects.toThrow('enough')
    expect(progress).toEqual([{view: 'stats', phase: 'reading', rows: 0, approximateTotal: 3}])
  })

  test('tells how far it is', async () => {
    const progress: VerifyProgress[] = []
    await verify(project, now, {onProgress: (event) => progress.push(event)})
    expect(progress).toEqual([
      {view: 'stats', phase: 'reading', rows: 0, approximateTotal: 3},
      {view: 'stats', phase: 'checking', rows: 3, approximateTotal: 3},
      {view: 'stats', phase: 'done', rows: 3},
    ])
  })
})

describe('what is not covered', () => {
  test('is not expected, and may be online when the source has it', async () => {
    const run = {command: 'materialize', start: now - 3n * day, end: now, now: () => now} as const
    await project.run(run)
    expect(await verifyOne(project, now)).toMatchObject({checked: 3, equal: 3})
    await writeOnline(project, [row(3n, now - 9n * day, [30n, null])])
    expect(await verifyOne(project, now)).toMatchObject({checked: 3, equal: 3, extra: 0})
    await writeOnline(project, [row(3n, now - 8n * day, [30n, null])])
    expect(await found()).toEqual(['extra 3'])
    // A sample looks only at keys of which a row is expected.
    expect(await found(now, {sample: {size: 10, seed: 0n}})).toEqual([])
  })

  test('a view that was never loaded is said, and is no failure', async () => {
    expect(await verify(project, now)).toMatchObject({
      differences: 0,
      views: [{name: 'stats', status: 'not_loaded', checked: 0}],
    })
  })

  test('an unknown view is refused, and so is one that is not online', async () => {
    await expect(verify(project, now, {views: ['statz']})).rejects.toMatchObject({
      code: 'FS_REFERENCE_UNKNOWN',
      message: expect.stringContaining('Did you mean') as string,
    })
    await project.apply({stats: {online: false}})
    await expect(verify(project, now, {views: ['stats']})).rejects.toMatchObject({
      message: "feature_view/stats is not online, so it can't be verified.",
    })
  })
})

describe('with a ttl', () => {
  beforeEach(async () => {
    await project.apply({stats: {ttl: 3n * day}})
    await project.run({command: 'materialize', start: null, end: now, now: () => now})
  })

  test('a row that is too old to be served may be there or not', async () => {
    expect(await verifyOne(project, now)).toMatchObject({checked: 3, equal: 3})
    await project.online.removeExpired(await tableOf(project), now - 8n * day)
    expect(await verifyOne(project, now)).toMatchObject({checked: 3, equal: 3})
    expect(await verifyOne(project, now + 2n * day + 1n)).toMatchObject({checked: 3, equal: 3})
    await replaceOnline(project, [])
    expect(await verifyOne(project, now + 2n * day)).toMatchObject({equal: 1, missing: 2})
    expect(await verifyOne(project, now + 2n * day + 1n)).toMatchObject({equal: 3, missing: 0})
  })

  test('the sample is of keys that are served', async () => {
    expect(await verifyOne(project, now, {sample: {size: 10, seed: 0n}})).toMatchObject({checked: 2})
    expect(await verifyOne(project, now + 9n * day, {sample: {size: 10, seed: 0n}})).toMatchObject({
      checked: 0,
      notes: ['all that was loaded is older than the ttl (3d), so nothing is served'],
    })
  })

  test('a row that is served in place of an expired one is extra', async () => {
    await writeOnline(project, [row(3n, now - day, [30n, null])])
    expect(await found()).toEqual(['extra 3'])
  })

  test('rows of unknown keys may be expired ones, so they are only said', async () => {
    await writeOnline(project, [row(9n, now - 30n * day, [1n, null])])
    const view = await verifyOne(project, now)
    expect(view).toMatchObject({checked: 3, extra: 0})
    expect(view.notes).toEqual([expect.stringContaining('they may be expired')])
  })
})

describe('rows that no load writes', () => {
  test('are not compared when their newest version does not fit its type', async () => {
    await project.apply({stats: {note: 'int32'}})
    await project.writeSource('stats', [trip(1n, now - day, 1n, {note: '7'}), trip(2n, now, 2n, {note: 'x'})])
    await project.load(now, {maxRejects: 1})
    expect(await verifyOne(project, now)).toMatchObject({checked: 1, equal: 1, rejected: 1, missing: 0})
  })

  test('are not known yet with knowledge time', async () => {
    await project.apply({stats: {knowledgeTime: true}})
    await project.writeSource('stats', [
      trip(1n, now - day, 1n),
      trip(1n, now - hour, 2n, {created: now + day}),
      trip(2n, now - day, 3n, {created: null}),
    ])
    await project.load(now)
    expect(await verifyOne(project, now)).toMatchObject({checked: 2, equal: 2})
    await writeOnline(project, [row(2n, now - day, [4n, 'x'])])
    expect(await found()).toEqual(['different 2'])
  })
})

describe('several views', () => {
  test("one that can't be read does not stop the others", async () => {
    await project.apply({gone: {}, stats: {}})
    await project.writeSource('gone', [trip(1n, now, 1n)])
    await project.load(now)
    await project.apply({gone: {}, stats: {}, new: {}})
    for (const view of ['gone', 'stats'])
      await project.changeState(view, {covered: [{start: null, end: now}]})
    await rm(join(project.directory, 'gone.parquet'))
    const {views, differences} = await verify(project, now)
    expect(views).toMatchObject([
      {name: 'gone', status: 'failed', error: {code: 'FS_SOURCE_UNREADABLE'}},
      {name: 'new', status: 'not_loaded'},
      {name: 'stats', status: 'checked', equal: 3},
    ])
    expect(differences).toBe(0)
    expect((await verify(project, now, {views: ['stats']})).views).toHaveLength(1)
  })
})

describe('a sample', () => {
  test('is the same again, another with another seed, and part of a larger one', async () => {
    await project.writeManyDrivers('stats', 3000, now)
    await project.load(now)
    await replaceOnline(project, [row(-1n, now, [0n, null])])
    const sampled = async (size: number, seed = 0n) =>
      (await found(now, {sample: {size, seed}, examplesOfKind: 10_000})).toSorted()
    const some = await sampled(100)
    expect(some).toHaveLength(100)
    expect(await sampled(100)).toEqual(some)
    expect(await sampled(100, 1n)).not.toEqual(some)
    expect(await sampled(500)).toEqual(expect.arrayContaining([...some]))
    expect(await sampled(100_000)).toHaveLength(3000)
  })
})
