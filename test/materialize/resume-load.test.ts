import {mkdir, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {RunRecord} from '../../src/registry/registry.js'
import {day, hour, Project} from './project.js'

const now = 1000n * day
const drivers = 150_000
let project: Project

beforeEach(async () => {
  project = await Project.create({stats: {}})
  await project.writeManyDrivers('stats', drivers, now - day)
})
afterEach(() => project[Symbol.asyncDispose]())

/** A load that is stopped when a part of it is online. */
function loadInPart(): Promise<RunRecord> {
  const stop = new AbortController()
  return project.load(now, {
    signal: stop.signal,
    onProgress: ({rows}) => {
      if (rows > 40_000) stop.abort()
    },
  })
}

const allIds = Array.from({length: drivers}, (_, id) => BigInt(id))
async function expectAllOnline(): Promise<void> {
  const rows = await project.read('stats', allIds)
  expect(rows.size).toBe(drivers)
  for (const [id, row] of rows) expect(row.values).toEqual([id * 10n, `n${id}`])
}

describe('a load that was ended in the middle', () => {
  test('goes on where it was, and covers what it would have covered', async () => {
    const first = await loadInPart()
    expect(first.status).toBe('interrupted')
    const {checkpoint, covered} = await project.state('stats')
    expect(covered).toEqual([])
    expect(checkpoint).toMatchObject({runId: first.id, intervals: [{start: null, end: now}]})
    const done = checkpoint?.rows ?? 0
    expect(done).toBeGreaterThan(16_000)
    expect(done).toBeLessThan(drivers)

    const second = await project.load(now + hour)
    expect(second).toMatchObject({status: 'ok', views: [{intervals: [{start: null, end: now + hour}]}]})
    const {rows, notes = []} = second.views[0] as (typeof second.views)[number]
    expect(rows.written + rows.unchanged).toBe(drivers - Number(checkpoint?.after[0]) - 1)
    expect(notes.join()).toContain(first.id)
    await expectAllOnline()
    const state = await project.state('stats')
    expect(state.checkpoint).toBeUndefined()
    expect(state.covered).toEqual([{start: null, end: now + hour}])
  })

  test('begins anew where the source was replaced meanwhile', async () => {
    await loadInPart()
    await project.writeManyDrivers('stats', drivers, now - day)
    const path = join(project.directory, 'stats.parquet')
    await utimes(path, new Date(1_600_000_000_000), new Date(1_600_000_000_000))
    const {views} = await project.load(now + hour)
    expect((views[0]?.rows.written ?? 0) + (views[0]?.rows.unchanged ?? 0)).toBe(drivers)
    await expectAllOnline()
  })

  test('begins anew where rows are to be kept for longer', async () => {
    await project.apply({stats: {ttl: 2n * day}})
    await loadInPart()
    expect((await project.state('stats')).checkpoint).toBeDefined()
    await project.apply({stats: {ttl: 7n * day}})
    const {views} = await project.load(now + hour)
    expect((views[0]?.rows.written ?? 0) + (views[0]?.rows.unchanged ?? 0)).toBe(drivers)
    await expectAllOnline()
  })

  test('begins anew where something else is asked for', async () => {
    await loadInPart()
    const {views} = await project.run({
      command: 'materialize',
      now: () => now,
      start: null,
      end: now - hour,
    })
    expect((views[0]?.rows.written ?? 0) + (views[0]?.rows.unchanged ?? 0)).toBe(drivers)
    await expectAllOnline()
  })
})

test('the version of a source is another when a file was replaced, and not when one was added', async () => {
  const folder = join(project.directory, 'many')
  await mkdir(folder)
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  const source = {
    kind: 'data_source',
    type: 'file',
    name: 'many',
    path: 'many/*.csv',
    timestampField: 't',
  } as const
  const at = BigInt(Date.now() - 60_000) * 1000n
  const version = () => project.offline.sourceVersion({source, inputs: {}}, at)
  const old = new Date(Date.now() - 3_600_000)
  for (const name of ['a.csv', 'b.csv']) {
    await write(name, 'id,t\n1,2026-01-01\n')
    await utimes(join(folder, name), old, old)
  }
  const first = await version()
  await write('c.csv', 'id,t\n2,2026-01-01\n')
  expect(await version()).toBe(first)
  await write('b.csv', 'id,t\n3,2026-01-01\n')
  expect(await version()).not.toBe(first)
  // Another one of the same size, within the same second.
  const second = Math.floor(old.getTime() / 1000)
  const versions: (string | undefined)[] = []
  for (const part of [0.25, 0.5]) {
    await write('b.csv', `id,t\n${part * 4},2026-01-01\n`)
    await utimes(join(folder, 'b.csv'), second + part, second + part)
    versions.push(await version())
  }
  expect(versions[0]).not.toBe(versions[1])
})

test('the version of SQL is that of its inputs, and none where it reads more than those', async () => {
  const folder = join(project.directory, 'stats.parquet')
  const input = {
    source: {kind: 'data_source', name: 'a', type: 'file', path: 'stats.parquet', timestampField: 't'},
    inputs: {},
  } as const
  const version = (query: string) =>
    project.offline.sourceVersion(
      {
        source: {kind: 'data_source', name: 'q', type: 'query', query, timestampField: 't'},
        inputs: {stats: input},
      },
      BigInt(Date.now()) * 1000n,
    )
  const known = await version(
    'WITH w AS (SELECT * FROM Stats) SELECT * FROM w, range(3) WHERE x IN (SELECT x FROM stats)',
  )
  expect(known).toBe(await project.offline.sourceVersion(input, BigInt(Date.now()) * 1000n))
  for (const query of [
    `SELECT * FROM '${folder}'`,
    `SELECT * FROM stats JOIN read_parquet('${folder}') USING (driver_id)`,
    `SELECT * FROM stats WHERE trips > (SELECT max(trips) FROM "other.csv")`,
  ])
    expect(await version(query)).toBeUndefined()
})
