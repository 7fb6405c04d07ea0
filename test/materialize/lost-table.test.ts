import {cp, readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import type {RunRecord} from '../../src/registry/registry.js'
import {day, hour, Project, type RunOptions, type ViewSettings} from './project.js'

const now = 1000n * day
const drivers = 150_000
let project: Project
let others: OnlineStore[] = []

const begin = async (view: ViewSettings): Promise<void> => {
  project = await Project.create({stats: view})
}
beforeEach(() => begin({}))
afterEach(async () => {
  for (const store of others) await store[Symbol.asyncDispose]()
  others = []
  await project[Symbol.asyncDispose]()
})

/** Another store of the project, as if feature_store.yaml named it now. */
async function anotherStore(): Promise<OnlineStore> {
  const store = await openOnlineStore(
    {type: 'embedded', settings: {path: `online-${others.length}`}},
    {project: 'rides', repoDirectory: project.directory, access: 'write'},
  )
  others.push(store)
  return store
}

const into = (store: OnlineStore, options: RunOptions = {}): RunOptions => ({
  ...options,
  openOnlineStore: () => Promise.resolve(store),
})

const counts = ({views}: RunRecord): unknown => views[0]?.rows
const notes = ({views}: RunRecord): string => (views[0]?.notes ?? []).join()

describe('an online store that lost what was loaded', () => {
  test('gets all of it again, also where that load is stopped in the middle', async () => {
    await project.writeManyDrivers('stats', drivers, now - day)
    await project.load(now)
    await project.online.drop(['stats'])
    const stop = new AbortController()
    const onProgress = ({rows}: {readonly rows: number}): void => {
      if (rows > 40_000) stop.abort()
    }
    const stopped = await project.load(now + hour, {signal: stop.signal, onProgress})
    expect(stopped.status).toBe('interrupted')
    expect(notes(stopped)).toContain('had lost its rows')
    // Part of it is online, and nothing counts as covered.
    expect((await project.state('stats')).covered).toEqual([])
    expect(notes(await project.load(now + 2n * hour))).toContain(stopped.id)
    const rows = await project.read(
      'stats',
      Array.from({length: drivers}, (_, id) => BigInt(id)),
    )
    expect(rows.size).toBe(drivers)
  })
})

test.each([
  ['whose source became empty', {sync: 'snapshot'}, []],
  ['whose rows have all expired', {ttl: day}, [{driver: 1n, event: now - 30n * day, trips: 1n}]],
  ['whose rows were all rejected', {}, [{driver: null, event: now, trips: 1n}]],
] as const)('a view %s is not lost', async (_, view, rows) => {
  await project[Symbol.asyncDispose]()
  await begin(view)
  await project.writeSource('stats', [
    {driver: 1n, event: now - 40n * day, created: now - 40n * day, trips: 1n},
  ])
  await project.load(now - 39n * day, {expireAfter: 0n})
  await project.writeSource('stats', rows)
  for (const end of [now + 1n, now + 2n * day, now + 3n * day])
    expect(notes(await project.load(end, {expireAfter: 0n}))).not.toContain('lost')
})

describe('another online store than that of the last load', () => {
  test('gets what it lacks, also one that holds an older load', async () => {
    const [first, second] = [project.online, await anotherStore()]
    await project.writeSource('stats', [{driver: 1n, event: now - day, trips: 1n}])
    await project.load(now)
    const rows = [1n, 2n].map((driver) => ({driver, event: now + hour, trips: 20n}))
    await project.writeSource('stats', rows)
    const moved = await project.load(now + day, into(second))
    expect(counts(moved)).toMatchObject({written: 2})
    expect(notes(moved)).toContain('had lost its rows')

    const back = await project.load(now + 2n * day, into(first))
    expect(counts(back)).toMatchObject({written: 2})
    expect(notes(back)).toContain('another one than that of the last load')
    expect([...(await project.read('stats', [1n, 2n])).values()].map(({values}) => values[0])).toEqual([
      20n,
      20n,
    ])
    expect(counts(await project.load(now + 3n * day, into(first)))).toMatchObject({written: 0, unchanged: 0})
  })

  test('does not go on with a load that was begun into the other', async () => {
    const second = await anotherStore()
    await project.writeManyDrivers('stats', drivers, now - day)
    const stop = new AbortController()
    const onProgress = ({rows}: {readonly rows: number}): void => {
      if (rows > 40_000) stop.abort()
    }
    await project.load(now, into(second, {signal: stop.signal, onProgress}))
    expect((await project.state('stats')).checkpoint).toBeDefined()
    expect(counts(await project.load(now + hour))).toMatchObject({written: drivers})
  })

  test('keeps no row of an older snapshot that is gone from the source', async () => {
    await project[Symbol.asyncDispose]()
    await begin({sync: 'snapshot'})
    const [first, second] = [project.online, await anotherStore()]
    const row = (driver: bigint) => ({driver, event: now, created: now, trips: driver, note: 'x'})
    await project.writeSource('stats', [row(1n), row(2n)])
    await project.load(now)
    await project.writeSource('stats', [row(2n), row(3n)])
    await project.load(now + hour, into(second))
    await project.load(now + day, into(first))
    expect([...(await project.read('stats', [1n, 2n, 3n])).keys()]).toEqual([2n, 3n])
  })
})

describe('a view that is to be loaded again as a whole', () => {
  const row = (driver: bigint, event = now) => ({driver, event, created: event, trips: driver, note: 'x'})
  /** As an apply leaves it that adds a feature, say. */
  const reload = () => project.changeState('stats', {covered: []})

  test.each([{}, {sync: 'snapshot'}] as const)(
    '%j, gets its rows where the store was emptied or exchanged meanwhile',
    async (view) => {
      await project[Symbol.asyncDispose]()
      await begin(view)
      await project.writeSource('stats', [row(1n), row(2n)])
      await project.load(now)
      await reload()
      await project.online.drop(['stats'])
      const healed = await project.load(now + hour)
      expect(notes(healed)).toContain('had lost its rows')
      expect(counts(healed)).toMatchObject({written: 2, unchanged: 0})
      await reload()
      const second = await anotherStore()
      expect(counts(await project.load(now + 2n * hour, into(second)))).toMatchObject({
        written: 2,
        unchanged: 0,
      })
      await reload()
      expect(await project.load(now + 3n * hour)).toMatchObject({status: 'ok'})
      expect([...(await project.read('stats', [1n, 2n])).keys()]).toEqual([1n, 2n])
    },
  )

  test('and is synced as a whole from now on, keeps no row that is gone, nor one that was newer', async () => {
    await project.writeSource('stats', [row(1n), row(2n), row(3n)])
    await project.load(now)
    await project.change((document) => ({
      ...document,
      definitions: {
        ...document.definitions,
        featureViews: document.definitions.featureViews.map((view) => ({...view, sync: 'snapshot' as const})),
      },
    }))
    await reload()
    await project.writeSource('stats', [{...row(1n, now - day), trips: 10n}, row(2n)])
    const synced = await project.load(now + hour)
    expect(notes(synced)).toContain('not synced as a whole before')
    expect(counts(synced)).toMatchObject({written: 2})
    const rows = await project.read('stats', [1n, 2n, 3n])
    expect([...rows].map(([driver, {values}]) => [driver, values[0]])).toEqual([
      [1n, 10n],
      [2n, 2n],
    ])
    expect(notes(await project.load(now + 2n * hour))).not.toContain('before')
  })
})

test('a run after one whose now was set ahead says up to when rows count as loaded', async () => {
  await project.writeSource('stats', [{driver: 1n, event: now, trips: 1n}])
  await project.load(now + 300n * day)
  expect(notes(await project.load(now + hour))).toMatch(/rows up to \d{4}-.* count as loaded/)
})

describe('an online store that went back', () => {
  /** The registry of after a load, and the store of before it: a backup that was put back. */
  const goBack = async (): Promise<void> => {
    const {loadNumber = 0} = await project.state('stats')
    expect(loadNumber).toBeGreaterThan(0)
    await project.changeState('stats', {loadNumber: loadNumber + 1})
  }

  test('gets all again, once', async () => {
    await project.writeSource('stats', [{driver: 1n, event: now - day, trips: 1n}])
    await project.load(now)
    await goBack()
    const healed = await project.load(now + hour)
    expect(notes(healed)).toContain('holds less than the last load left')
    expect(counts(healed)).toMatchObject({unchanged: 1})
    expect(notes(await project.load(now + 2n * hour))).not.toContain('holds less')
  })

  test('is no place to go on with a load that was killed: what that had written is gone', async () => {
    const folder = join(project.directory, 'online-0')
    const backup = join(project.directory, 'backup')
    const open = (): Promise<OnlineStore> =>
      openOnlineStore(
        {type: 'embedded', settings: {path: 'online-0'}},
        {project: 'rides', repoDirectory: project.directory, access: 'write'},
      )
    const loadInto = async (end: bigint, options: RunOptions = {}): Promise<RunRecord> => {
      await using store = await open()
      return await project.load(end, into(store, options))
    }
    await project.writeManyDrivers('stats', 1, now - 2n * day)
    expect(await loadInto(now - day)).toMatchObject({status: 'ok'})
    await cp(folder, backup, {recursive: true})
    await project.writeManyDrivers('stats', drivers, now - hour)
    const stop = new AbortController()
    const onProgress = ({rows}: {readonly rows: number}): void => {
      if (rows > 40_000) stop.abort()
    }
    expect(await loadInto(now, {signal: stop.signal, onProgress})).toMatchObject({status: 'interrupted'})
    expect((await project.state('stats')).checkpoint).toBeDefined()
    await rm(folder, {recursive: true})
    await cp(backup, folder, {recursive: true})
    const healed = await loadInto(now)
    expect(notes(healed)).toBe('')
    expect(counts(healed)).toMatchObject({written: drivers})
  })

  test('keeps no row of an older snapshot that is gone from the source', async () => {
    await project[Symbol.asyncDispose]()
    await begin({sync: 'snapshot'})
    const row = (driver: bigint) => ({driver, event: now, created: now, trips: driver, note: 'x'})
    await project.writeSource('stats', [row(1n), row(2n)])
    await project.load(now)
    await goBack()
    await project.writeSource('stats', [row(2n), row(3n)])
    expect(counts(await project.load(now + hour))).toMatchObject({written: 2})
    expect([...(await project.read('stats', [1n, 2n, 3n])).keys()]).toEqual([2n, 3n])
  })

  describe('with a view that is synced as a whole', () => {
    const everyone = Array.from({length: drivers}, (_, id) => BigInt(id))
    const served = async (): Promise<number> => (await project.read('stats', everyone)).size
    /** Some of what is due is written, to a table of its own. */
    const stopInTheMiddle = (): Promise<RunRecord> => {
      const stop = new AbortController()
      const onProgress = ({rows}: {readonly rows: number}): void => {
        if (rows > 40_000) stop.abort()
      }
      return project.load(now + hour, {signal: stop.signal, onProgress})
    }

    beforeEach(async () => {
      await project[Symbol.asyncDispose]()
      await begin({sync: 'snapshot'})
      await project.writeManyDrivers('stats', drivers, now - day)
      await project.load(now)
      await goBack()
      await project.writeManyDrivers('stats', drivers - 1000, now - hour)
    })

    test('serves what it has until another table is whole, and goes on with that one', async () => {
      expect(await stopInTheMiddle()).toMatchObject({status: 'interrupted'})
      expect((await project.state('stats')).replacement).toMatchObject({table: 'stats__2', begunSyncs: [{}]})
      expect(await served()).toBe(drivers)
      const healed = await project.load(now + 2n * hour)
      expect(notes(healed)).toContain('holds less than the last load left')
      expect(counts(healed)).toMatchObject({read: drivers - 1000, deleted: 0})
      expect(await served()).toBe(drivers - 1000)
      const state = await project.state('stats')
      expect(state).toMatchObject({table: 'stats__2', snapshot: {rows: drivers - 1000}})
      expect(state.replacement).toBeUndefined()
      expect((await project.document()).pendingDrops).toEqual(['stats'])
      // Of the old table's files none is left.
      expect(await readdir(join(project.directory, 'snapshots', state.storeId ?? ''))).toEqual(['stats__2'])
      expect(counts(await project.load(now + 3n * hour))).toMatchObject({
        written: 0,
        unchanged: drivers - 1000,
      })
    })

    test('keeps what it has where the newer state is there again, and drops what was begun', async () => {
      const before = await project.state('stats')
      await stopInTheMiddle()
      await project.changeState('stats', {loadNumber: (before.loadNumber ?? 0) - 1})
      expect(counts(await project.load(now + 2n * hour))).toMatchObject({
        written: drivers - 1000,
        deleted: 1000,
      })
      const {table, replacement} = await project.state('stats')
      expect([table, replacement]).toEqual(['stats', undefined])
      expect((await project.document()).pendingDrops).toEqual(['stats__2'])
    })
  })

  test('is left alone by runs that write nothing, and its loads are counted', async () => {
    await project.writeSource('stats', [{driver: 1n, event: now - day, trips: 1n}])
    await project.load(now)
    await project.load(now + hour)
    expect((await project.state('stats')).loadNumber).toBe(1)
    await project.writeSource('stats', [{driver: 1n, event: now + 2n * hour, trips: 2n}])
    await project.load(now + day)
    expect((await project.state('stats')).loadNumber).toBe(2)
  })
})
