/** Delta and Iceberg tables as sources: every snapshot as their own writers read it, and one snapshot for a whole run. */
import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {installDuckDbExtensions} from '../../scripts/services/duckdb-extensions.mjs'
import type {DataSource, DeltaSource, IcebergSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {featureRows, frameQuery, latestQuery, readFrame, readNewest, viewJoin} from '../support/frames.js'
import {
  appendToDelta,
  makeLakeTables,
  type LakeRow,
  type LakeTables,
} from '../support/lake-tables/lake-tables.js'
import {runFs, runFsJson} from '../support/run-fs.js'

const microsOfDay = 86_400_000_000n
const start = BigInt(Date.UTC(2024, 0, 1)) * 1000n
const common = {kind: 'data_source', name: 'stats', timestampField: 'event_timestamp'} as const

let folder = ''
let extensions = ''
let tables: LakeTables
let store: OfflineStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-lake-'))
  extensions = installDuckDbExtensions()
  tables = await makeLakeTables(join(folder, 'tables'))
  store = await openOfflineStore(
    {type: 'duckdb', settings: {extensionDirectory: extensions}},
    {repoDirectory: folder},
  )
}, 300_000)
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true, force: true})
})

const delta = (more: Partial<DeltaSource> = {}): DeltaSource => ({
  ...common,
  type: 'delta',
  path: tables.delta.path,
  ...more,
})
const iceberg = (more: Partial<IcebergSource> = {}): IcebergSource => ({
  ...common,
  type: 'iceberg',
  path: tables.iceberg.path,
  ...more,
})

/** All rows of a source, in the form that the makers of the tables tell them. */
async function rowsIn(source: DataSource): Promise<readonly LakeRow[]> {
  const columns = await store.describeSource({source, inputs: {}})
  const hasTrips = columns.some(({name}) => name === 'trips')
  const rows = featureRows(
    source,
    {driver_id: 'int64', event_timestamp: 'timestamp'},
    {conv_rate: 'float64', ...(hasTrips ? {trips: 'int32'} : {})},
  )
  const {rows: read} = await readNewest(store, latestQuery(rows))
  return read.map(({key: [driver], event, values}) => [
    Number(driver),
    Number(((event ?? 0n) - start) / microsOfDay) + 1,
    ...(values as (number | null)[]),
  ])
}

describe('every snapshot is read as the library that wrote it reads it', () => {
  test('each version of a Delta table: updates, deletes, merges, a new column, a checkpoint, a compaction', async () => {
    expect(tables.delta.versions.length).toBeGreaterThan(7)
    for (const [version, rows] of tables.delta.versions.entries())
      expect(await rowsIn(delta({version})), `version ${version}`).toEqual(rows)
    expect(await rowsIn(delta())).toEqual(tables.delta.versions.at(-1))
  })

  test('rows of a Delta table that a deletion vector deletes are gone', async () => {
    expect(await rowsIn(delta({path: tables.vector.path}))).toEqual(tables.vector.rows)
  })

  test('each snapshot of an Iceberg table: deletes and a new column', async () => {
    expect(tables.iceberg.snapshots).toHaveLength(4)
    for (const {id, rows} of tables.iceberg.snapshots)
      expect(await rowsIn(iceberg({snapshotId: id})), `snapshot ${id}`).toEqual(rows)
    const newest = tables.iceberg.snapshots.at(-1)?.rows
    expect(await rowsIn(iceberg())).toEqual(newest)
    expect(await rowsIn(iceberg({path: tables.iceberg.metadataFile}))).toEqual(newest)
  })

  test('rows of an Iceberg table that are deleted by their positions are gone', async () => {
    expect(await rowsIn(iceberg({path: tables.merged.path}))).toEqual(tables.merged.rows)
  })

  test('an Iceberg table without a snapshot has its columns and no row', async () => {
    expect(await rowsIn(iceberg({path: tables.empty.path}))).toEqual([])
    expect(await store.pinSource?.(iceberg({path: tables.empty.path}))).toMatchObject({
      snapshot: 'iceberg without a snapshot',
    })
  })

  test('a training frame joins a table, by itself and by a query over it', async () => {
    const source = delta({name: 'lake'})
    const query: DataSource = {...common, type: 'query', query: 'SELECT * FROM lake WHERE conv_rate > 0.1'}
    const keys = {driver_id: 'int64'} as const
    const entityRows = {
      kind: 'values',
      columns: [
        {name: 'driver_id', valueType: 'int64'},
        {name: 'event_timestamp', valueType: 'timestamp'},
      ],
      rows: [[1n, start + 3n * microsOfDay] as const, [2n, start] as const],
    } as const
    const table = featureRows(source, keys, {conv_rate: 'float64'})
    const selected = {
      ...featureRows(query, keys, {conv_rate: 'float64'}, 'selected'),
      source: {source: query, inputs: {lake: {source, inputs: {}}}},
    }
    const {rows} = await readFrame(
      store,
      frameQuery(entityRows, [
        viewJoin(table, {outputs: [{feature: 'conv_rate', as: 'a'}]}),
        viewJoin(selected, {outputs: [{feature: 'conv_rate', as: 'b'}]}),
      ]),
    )
    expect(rows.map((row) => row.slice(2))).toEqual([
      [0.15, 0.15],
      [0.25, 0.25],
    ])
  })
})

describe('a snapshot is pinned', () => {
  test('what is committed after it is not read', async () => {
    const before = tables.delta.versions.at(-1)
    const pinned = await store.pinSource?.(delta())
    expect(pinned?.snapshot).toBe(`delta version ${tables.delta.versions.length - 1}`)
    await appendToDelta(tables.delta.path, [8, 6, 0.8])
    expect(await rowsIn(pinned!.source)).toEqual(before)
    expect(await rowsIn(delta())).toEqual([...(before ?? []), [8, 6, 0.8, null]])
  })

  test('an Iceberg table is pinned to a metadata file and a snapshot, exactly', async () => {
    const pinned = await store.pinSource?.(iceberg())
    const id = tables.iceberg.snapshots.at(-1)?.id
    expect(pinned).toMatchObject({
      snapshot: `iceberg snapshot ${id ?? ''}`,
      source: {snapshotId: id, path: tables.iceberg.metadataFile},
    })
  })
})

describe('what is not there is told', () => {
  const fails = async (source: DataSource): Promise<string> => {
    const error: unknown = await store.describeSource({source, inputs: {}}).then(
      () => 'it was read',
      (cause: unknown) => cause,
    )
    expect(error).toMatchObject({code: 'FS_SOURCE_UNREADABLE', hint: expect.stringMatching(/./) as string})
    return (error as Error).message
  }

  test('a version, a snapshot, a table', async () => {
    expect(await fails(delta({version: 99}))).toMatch(/`stats`.*there is no version 99, the newest is \d+/)
    const {snapshots} = tables.iceberg
    expect(await fails(iceberg({snapshotId: '77'}))).toContain(
      `there is no snapshot 77; the last ones are ${snapshots
        .slice(-3)
        .map(({id}) => id)
        .join(', ')}`,
    )
    mkdirSync(join(folder, 'nothing'), {recursive: true})
    expect(await fails(delta({path: 'nothing'}))).toContain('nothing: it is no Delta table')
    expect(await fails(iceberg({path: 'nothing'}))).toContain('nothing: it is no Iceberg table')
  })

  test('two metadata files of one number: only the catalog knows which is right', async () => {
    const copy = join(folder, 'raced', 'metadata')
    mkdirSync(copy, {recursive: true})
    const name = basename(tables.iceberg.metadataFile)
    copyFileSync(tables.iceberg.metadataFile, join(copy, name))
    copyFileSync(tables.iceberg.metadataFile, join(copy, name.replace(/-.*/, '-lost.metadata.json')))
    expect(await fails(iceberg({path: 'raced'}))).toMatch(/two metadata files are the newest, .* and .*/)
  })

  test('a file that is no metadata', async () => {
    writeFileSync(join(folder, 'other.metadata.json'), '{"a": 1}')
    expect(await fails(iceberg({path: 'other.metadata.json'}))).toContain(
      'is no metadata of an Iceberg table',
    )
    writeFileSync(join(folder, 'text.metadata.json'), 'text')
    expect(await fails(iceberg({path: 'text.metadata.json'}))).toContain("can't be read")
  })

  test('an extension that is not installed: the way to install it, and no download', async () => {
    const bare = await openOfflineStore(
      {type: 'duckdb', settings: {extensionDirectory: join(folder, 'no-extensions')}},
      {repoDirectory: folder},
    )
    await expect(bare.describeSource({source: delta(), inputs: {}})).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(
        /^Data source `stats` needs DuckDB's extension `delta`.*no-extensions/,
      ) as string,
      hint: expect.stringMatching(/`INSTALL delta`.*`extension_directory`/) as string,
    })
    await bare[Symbol.asyncDispose]()
  })
})

describe('fs', () => {
  const repo = (source: string): string => {
    const directory = mkdtempSync(join(folder, 'repo-'))
    writeFileSync(
      join(directory, 'feature_store.yaml'),
      `project: lake\nregistry: registry.json\noffline_store: {type: duckdb, extension_directory: ${extensions}}\nonline_store: {type: embedded, path: online}\n`,
    )
    writeFileSync(
      join(directory, 'features.yaml'),
      `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: stats
${source}
timestamp_field: event_timestamp
---
kind: feature_view
name: rates
entities: [driver]
source: stats
schema: [{name: conv_rate, dtype: float64}]
`,
    )
    return directory
  }

  test('a run records the snapshot that it read', async () => {
    const cwd = repo(`type: delta\npath: ${tables.delta.path}\nversion: 4`)
    await runFsJson(['apply', '--yes'], {cwd})
    const run = await runFsJson(['materialize-incremental', '2024-02-01'], {cwd})
    expect(run).toMatchObject({
      views: [{name: 'rates', status: 'ok', snapshots: {stats: 'delta version 4'}, rows: {written: 4}}],
    })
    expect(await runFsJson(['runs', 'show', 'latest'], {cwd})).toMatchObject({
      views: [{snapshots: {stats: 'delta version 4'}}],
    })
    const shown = await runFs(['runs', 'show', 'latest'], {cwd})
    expect(shown.stdout).toContain('rates: read stats at delta version 4')
    const listed = await runFs(['list', 'data-sources'], {cwd})
    expect(listed.stdout).toContain(`delta ${tables.delta.path} version 4`)
    expect(await runFsJson(['describe', 'data-source', 'stats'], {cwd})).toMatchObject({
      type: 'delta',
      version: 4,
    })
  })

  test('another version is a change of the source, after which its views are loaded again', async () => {
    const cwd = repo(`type: delta\npath: ${tables.delta.path}\nversion: 1`)
    await runFsJson(['apply', '--yes'], {cwd})
    await runFsJson(['materialize-incremental', '2024-02-01'], {cwd})
    const definitions = join(cwd, 'features.yaml')
    writeFileSync(definitions, readFileSync(definitions, 'utf8').replace('version: 1', 'version: 2'))
    const {changes} = await runFsJson(['plan'], {cwd})
    expect(changes).toContainEqual(
      expect.objectContaining({
        address: 'data_source/stats',
        fields: [{path: 'version', before: 1, after: 2}],
      }),
    )
    expect(changes).toContainEqual(
      expect.objectContaining({address: 'feature_view/rates', impact: 'backfill'}),
    )
  })

  test('the id of a snapshot is text, and what is missing is told at its line', async () => {
    const validate = async (source: string): Promise<string> => {
      const {code, stdout, stderr} = await runFs(['validate'], {cwd: repo(source)})
      expect(code).toBe(1)
      return stdout + stderr
    }
    expect(await validate(`type: iceberg\npath: x\nsnapshot_id: 9029287801649467144`)).toMatch(
      /features\.yaml:9:14[^]*digits in quotes/,
    )
    expect(await validate(`type: delta\npath: ${tables.delta.path}\nversion: 99`)).toMatch(
      /features\.yaml:8:7[^]*there is no version 99/,
    )
  })
})
