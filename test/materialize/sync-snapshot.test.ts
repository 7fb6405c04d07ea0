import {readdir, utimes, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {pickRows} from '../../src/materialize/pick-rows.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import {onlineRows} from '../conformance/online-rows.js'
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

/** The store, which is told of each row before it is written or removed. */
function rowByRow(store: OnlineStore, before: () => Promise<void>): OnlineStore {
  const rowsOf = ({rowCount}: {readonly rowCount: number}): readonly number[] =>
    Array.from({length: rowCount}, (_, at) => at)
  return {
    writeOrder: store.writeOrder,
    isPaced: store.isPaced,
    notes: store.notes,
    loads: store.loads,
    prepare: (tables) => store.prepare(tables),
    drop: (tables) => store.drop(tables),
    listTables: () => store.listTables(),
    nameForOthers: (table) => store.nameForOthers(table),
    volatileServers: () => store.volatileServers(),
    examine: (clock) => store.examine(clock),
    read: (requests) => store.read(requests),
    countRows: (table) => store.countRows(table),
    removeExpired: (table, until) => store.removeExpired(table, until),
    [Symbol.asyncDispose]: () => Promise.resolve(),
    async write(table, rows, life) {
      let written = 0
      for (const at of rowsOf(rows)) {
        await before()
        written += (await store.write(table, pickRows(rows, [at]), life)).written
      }
      return {written, unchanged: rows.rowCount - written, rejected: []}
    },
    async remove(table, rows) {
      let removed = 0
      for (const at of rowsOf(rows)) {
        await before()
        removed += await store.remove(table, pickRows({...rows, features: []}, [at]))
      }
      return removed
    },
  }
}

/** A run whose store is gone after so many rows. */
function failingAfter(rows: number): {readonly openOnlineStore: () => Promise<OnlineStore>} {
  let left = rows
  const store = rowByRow(project.online, () => {
    left -= 1
    return left < 0 ? Promise.reject(new Error('the store is gone')) : Promise.resolve()
  })
  return {openOnlineStore: () => Promise.resolve(store)}
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
    const files = await readdir(join(project.directory, 'snapshots'), {recursive: true})
    expect(files.filter((file) => file.endsWith('.parquet'))).toHaveLength(2)
  })

  test('clears away what a killed process had begun to keep, and nothing that may still be written', async () => {
    await project.writeSource('stats', [row(1n, now, 1n)])
    await sync()
    const files = () => readdir(join(project.directory, 'snapshots'), {recursive: true})
    const kept = (await files()).find((file) => file.endsWith('.parquet')) ?? ''
    const part = (id: string) => join(project.directory, 'snapshots', dirname(kept), `x.parquet.${id}.part`)
    await writeFile(part('0000000a'), '')
    await utimes(part('0000000a'), 1, Date.now() / 1000 - 2 * 3600)
    await writeFile(part('0000000b'), '')
    await sync(now + 1n)
    expect((await files()).filter((file) => file.endsWith('.part')).map((file) => basename(file))).toEqual([
      'x.parquet.0000000b.part',
    ])
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

  test('writes nothing where what it compares with is gone, or on another machine', async () => {
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n)])
    await sync()
    await project.writeSource('stats', [row(2n, now, 3n)])
    const elsewhere = join(project.directory, 'another machine')
    for (let round = 0; round < 2; round += 1) {
      const run = await project.load(now + 1n, {snapshotsDirectory: elsewhere})
      expect(run.views[0]).toMatchObject({status: 'failed', error: {code: 'FS_SNAPSHOT_MISSING'}})
    }
    expect(await online()).toEqual({1: 1n, 2: 2n})
    expect(await sync(now + 1n)).toMatchObject({written: 1, deleted: 1})
  })

  test('leaves what another project compares with, in the same folder', async () => {
    const snapshotsDirectory = join(project.directory, 'shared')
    await using other = await Project.create({stats: {sync: 'snapshot'}})
    const both = [project, other]
    for (let round = 0n; round < 3n; round += 1n) {
      for (const one of both) await one.writeSource('stats', [row(1n, now, round), row(round + 2n, now, 2n)])
      const runs = [
        await project.load(now + round, {snapshotsDirectory}),
        await other.load(now + round, {snapshotsDirectory}),
      ]
      for (const run of runs) {
        expect(run.status).toBe('ok')
        expect(run.views[0]?.rows).toMatchObject({written: 2, deleted: round === 0n ? 0 : 1})
      }
    }
  })

  test('what a sync wrote that did not end goes, where the source is again what it was', async () => {
    await project.writeSource('stats', [row(1n, now - day, 1n), row(2n, now - day, 2n)])
    await sync()
    await project.writeSource('stats', [
      row(1n, now, 100n),
      row(2n, now - day, 2n),
      row(3n, now - day, 3n),
      row(5n, now, 5n),
    ])
    expect(await project.load(now + 1n, failingAfter(2))).toMatchObject({status: 'failed'})
    expect(await online()).toEqual({1: 100n, 2: 2n, 3: 3n})
    await project.writeSource('stats', [row(1n, now - day, 1n), row(2n, now - day, 2n)])
    expect(await sync(now + 2n)).toMatchObject({written: 1, deleted: 2, unchanged: 1})
    expect(await online()).toEqual({1: 1n, 2: 2n})
    expect((await project.state('stats')).begunSyncs).toBeUndefined()
  })

  test('what a run wrote that had lost the view by then goes with the sync after', async () => {
    await project.writeSource('stats', [row(1n, now, 1n)])
    await sync()
    await project.writeSource('stats', [row(1n, now + 1n, 10n), row(4n, now, 4n)])
    const {online: store} = project
    let isFirst = true
    const overtaken = rowByRow(store, async () => {
      if (!isFirst) return
      isFirst = false
      const {lease} = await project.state('stats')
      if (lease === undefined) throw new Error('no lease')
      await project.changeState('stats', {
        lease: {...lease, expiresAt: 0n},
      })
      await project.writeSource('stats', [row(1n, now + 2n, 20n)])
      await sync(now + 3n)
    })
    const late = await project.load(now + 2n, {openOnlineStore: () => Promise.resolve(overtaken)})
    expect(late.status).toBe('failed')
    expect(await online()).toEqual({1: 20n, 4: 4n})
    expect(await sync(now + 4n)).toMatchObject({deleted: 1})
    expect(await online()).toEqual({1: 20n})
    // While the other may still be at work it is reckoned with.
    expect((await project.state('stats')).begunSyncs).toHaveLength(1)
    const clock = (): bigint => BigInt(Date.now()) * 1000n + 2n * hour
    expect(await project.load(now + 5n, {clock})).toMatchObject({status: 'ok'})
    expect((await project.state('stats')).begunSyncs).toBeUndefined()
  })

  test('fails where newer rows are online than any sync wrote', async () => {
    await project.writeSource('stats', [row(1n, now, 1n)])
    await sync()
    await project.writeSource('stats', [row(1n, now + day, 5n)])
    const {definitions, views} = await project.document()
    const [view] = definitions.featureViews
    if (view === undefined) throw new Error('no view')
    const table = onlineTableOf(view, definitions, views['stats']?.table ?? '')
    await project.online.write(
      table,
      onlineRows(table, [{key: [1n], event: now + day, created: null, values: [7n, 'x']}]),
    )
    await project.writeSource('stats', [])
    const run = await project.load(now + 2n)
    expect(run.views[0]).toMatchObject({status: 'failed', error: {code: 'FS_LOAD_NOT_VERIFIED'}})
  })

  test('loads all of it again when an interval is asked for, and heals what the store lost', async () => {
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n), row(3n, now, 3n)])
    await sync()
    const {definitions, views} = await project.document()
    const [view] = definitions.featureViews
    if (view === undefined) throw new Error('no view')
    const table = onlineTableOf(view, definitions, views['stats']?.table ?? '')
    const lost = onlineRows(table, [{key: [2n], event: now, created: now, values: [2n, 'x']}])
    await project.online.remove(table, lost)
    await project.writeSource('stats', [row(1n, now, 1n), row(2n, now, 2n)])
    const healing = {command: 'materialize', now: () => now + 1n, start: null, end: now + 1n} as const
    expect((await project.run(healing)).views[0]).toMatchObject({status: 'ok', rows: {deleted: 1}})
    expect(await online()).toEqual({1: 1n, 2: 2n})
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

  test('is what the source says after any number of changes, and of syncs that did not end', async () => {
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
      fc.asyncProperty(
        fc.array(fc.tuple(rows, fc.option(fc.nat({max: 6}))), {minLength: 1, maxLength: 6}),
        async (steps) => {
          for (const [source, failsAfter] of steps) {
            await project.writeSource(
              'stats',
              source.map((one) => row(one.driver, one.event, one.trips, {created: one.created})),
            )
            end += 1n
            if (failsAfter !== null) {
              // It may also have nothing to write.
              await project.load(end, failingAfter(failsAfter))
              continue
            }
            await sync(end)
            const found = await project.read('stats', ids)
            expect(
              Object.fromEntries(
                [...found].map(([id, {eventTimestamp, values}]) => [String(id), [eventTimestamp, values[0]]]),
              ),
            ).toEqual(Object.fromEntries(source.map((one) => [String(one.driver), [one.event, one.trips]])))
          }
        },
      ),
      {numRuns: 25},
    )
  }, 120_000)
})
