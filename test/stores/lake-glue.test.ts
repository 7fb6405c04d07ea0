/** Tables of a Glue Data Catalog as sources: formats, partitions, and what the catalog refuses. */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api'
import {afterAll, afterEach, beforeAll, describe, expect, test, vi} from 'vitest'
import type {GlueSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import type {ValueType} from '../../src/definitions/value-type.js'
import {duckDbExtensions, startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {featureRows, frameQuery, latestQuery, readFrame, readNewest, viewJoin} from '../support/frames.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {makeLakeTables, type LakeTables} from '../support/lake-tables/lake-tables.js'

const day = 86_400_000_000n
const start = BigInt(Date.UTC(2024, 0, 1)) * 1000n
const rowColumns = {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'double'} as const

let folder = ''
let aws: AwsStandIn
let glue: GlueTables
let tables: LakeTables
let store: OfflineStore
let writer: DuckDBConnection
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-glue-'))
  aws = await startAws()
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value)
  glue = await GlueTables.create(aws.url, 'lake')
  tables = await makeLakeTables(join(folder, 'tables'))
  writer = await (await DuckDBInstance.create(':memory:')).connect()
  store = await openOfflineStore(
    {type: 'duckdb', settings: {extensionDirectory: duckDbExtensions()}},
    {repoDirectory: folder},
  )
}, 300_000)
afterEach(() => aws.heal())
afterAll(async () => {
  glue.close()
  await store[Symbol.asyncDispose]()
  writer.closeSync()
  await aws.dispose()
  vi.unstubAllEnvs()
  rmSync(folder, {recursive: true, force: true})
})

const source = (table: string, more: Partial<GlueSource> = {}): GlueSource => ({
  kind: 'data_source',
  name: table,
  type: 'glue',
  database: 'lake',
  table,
  timestampField: 'event_timestamp',
  partitionedBy: 'event_time',
  ...more,
})

/** A Parquet file with a row a day: the driver is the day. */
async function writeDays(path: string, days: readonly number[], more = ''): Promise<void> {
  mkdirSync(dirname(path), {recursive: true})
  await writer.run(
    `COPY (SELECT unnest([${days.join(', ')}])::BIGINT AS driver_id, TIMESTAMP '2024-01-01' + to_days(driver_id::INT - 1) + INTERVAL 1 HOUR AS event_timestamp, driver_id / 10.0::DOUBLE AS rate ${more}) TO '${path}' (FORMAT parquet)`,
  )
}

/** Newest rows: `[key, …features]`; of the days from one to another, where they are given. */
async function rowsOf(
  table: GlueSource,
  features: Readonly<Record<string, ValueType>>,
  days?: readonly [number, number],
): Promise<readonly (readonly unknown[])[]> {
  const selection =
    days === undefined
      ? {}
      : {intervals: [{start: start + BigInt(days[0] - 1) * day, end: start + BigInt(days[1]) * day}]}
  const {rows} = await readNewest(
    store,
    latestQuery(featureRows(table, {driver_id: 'int64'}, features), selection),
  )
  return rows.map(({key, values}) => [Number(key[0]), ...values])
}

describe('formats', () => {
  test('Parquet whose files have other columns than each other, and none of one', async () => {
    await writeDays(join(folder, 'plain', 'a'), [1, 2])
    await writeDays(join(folder, 'plain', 'b'), [3], ', 7 AS trips')
    writeFileSync(join(folder, 'plain', '_SUCCESS'), '')
    await glue.table('plain', {
      location: `file://${folder}/plain/`,
      format: 'parquet',
      columns: {...rowColumns, trips: 'int', note: 'string'},
    })
    expect(await store.describeSource({source: source('plain'), inputs: {}})).toEqual([
      {name: 'driver_id', nativeType: 'BIGINT', valueType: 'int64'},
      {name: 'event_timestamp', nativeType: 'TIMESTAMP', valueType: 'timestamp'},
      {name: 'rate', nativeType: 'DOUBLE', valueType: 'float64'},
      {name: 'trips', nativeType: 'INTEGER', valueType: 'int32'},
      {name: 'note', nativeType: 'VARCHAR', valueType: 'string'},
    ])
    expect(await rowsOf(source('plain'), {rate: 'float64', trips: 'int32', note: 'string'})).toEqual([
      [1, 0.1, null, null],
      [2, 0.2, null, null],
      [3, 0.3, 7, null],
    ])
  })

  test.each([
    [
      'csv',
      'driver;at;rate\n1;2024-01-01 00:00:00;"0,5"\n2;2024-01-02;\n',
      {'skip.header.line.count': '1'},
      '',
    ],
    ['tabs', '1\t2024-01-01 00:00:00\t0,5\n2\t2024-01-02\t\\N\n', {}, null],
    [
      'json',
      '{"driver_id": 1, "event_timestamp": "2024-01-01", "rate": "0,5"}\n{"driver_id": 2, "event_timestamp": "2024-01-02"}\n',
      {},
      null,
    ],
  ] as const)('%s', async (format, content, parameters, second) => {
    mkdirSync(join(folder, format))
    writeFileSync(join(folder, format, 'part-0'), content)
    await glue.table(`rows_${format}`, {
      location: join(folder, format),
      format,
      columns: {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'string'},
      parameters,
    })
    expect(await rowsOf(source(`rows_${format}`), {rate: 'string'})).toEqual([
      [1, '0,5'],
      [2, second],
    ])
  })

  test('a file whose name is a pattern is that file, and no other', async () => {
    for (const [name, driver] of [
      ['p1.parquet', 1],
      ['p[1].parquet', 2],
      ['p*.parquet', 3],
    ] as const)
      await writeDays(join(folder, 'patterns', name), [driver])
    await glue.table('patterns', {
      location: join(folder, 'patterns'),
      format: 'parquet',
      columns: rowColumns,
    })
    const rows = featureRows(source('patterns'), {driver_id: 'int64'}, {rate: 'float64'})
    const intervals = [{start: start - day, end: start + 9n * day}]
    expect(await rowsOf(source('patterns'), {rate: 'float64'})).toEqual([
      [1, 0.1],
      [2, 0.2],
      [3, 0.3],
    ])
    expect(await store.summarizeSource({kind: 'source_summary', rows, intervals})).toMatchObject({rows: 3})
  })

  test('Delta and Iceberg, at one snapshot that a run can pin', async () => {
    const columns = {driver_id: 'bigint', event_timestamp: 'timestamp', conv_rate: 'double'}
    await glue.table('delta', {
      location: tables.delta.path,
      columns,
      parameters: {'spark.sql.sources.provider': 'delta'},
    })
    await glue.table('iceberg', {
      location: tables.iceberg.path,
      columns,
      parameters: {table_type: 'ICEBERG', metadata_location: `file://${tables.iceberg.metadataFile}`},
    })
    expect(await rowsOf(source('delta'), {conv_rate: 'float64'})).toContainEqual([4, 0.45])
    expect(await rowsOf(source('iceberg'), {conv_rate: 'float64'})).toContainEqual([4, 0.4])
    expect(await store.pinSource?.(source('delta'))).toMatchObject({
      snapshot: `delta version ${tables.delta.versions.length - 1}`,
      source: {name: 'delta', type: 'delta', timestampField: 'event_timestamp'},
    })
    expect(await store.pinSource?.(source('iceberg'))).toMatchObject({
      snapshot: `iceberg snapshot ${tables.iceberg.snapshots.at(-1)?.id ?? ''}`,
    })
    expect(await store.pinSource?.(source('plain'))).toBeUndefined()
  })

  test.each([
    ['orc', 'ORC'],
    ['hudi', 'Hudi'],
  ] as const)('%s is named as what DuckDB can not read', async (format, name) => {
    await glue.table(`as_${format}`, {location: folder, format, columns: rowColumns})
    await expect(store.describeSource({source: source(`as_${format}`), inputs: {}})).rejects.toMatchObject({
      code: 'FS_NOT_SUPPORTED',
      message: expect.stringMatching(new RegExp(`\`lake.as_${format}\` is ${name},`)) as string,
    })
  })
})

describe('partitions', () => {
  /** A partition a day from the first to the ninth of January, all of whose files but of some days can't be read. */
  async function daily(
    name: string,
    keys: Readonly<Record<string, string>>,
    folderOf: (two: string) => string,
    readable: readonly number[],
    dayOfRow = (of: number): number => of,
  ): Promise<void> {
    const location = join(folder, name)
    await glue.table(name, {location, format: 'parquet', columns: rowColumns, keys})
    for (let of = 1; of <= 9; of += 1) {
      const partition = folderOf(`0${of}`)
      const path = join(location, partition)
      mkdirSync(path, {recursive: true})
      if (readable.includes(of)) await writeDays(join(path, 'part.parquet'), [dayOfRow(of)])
      else writeFileSync(join(path, 'part.parquet'), 'unreadable')
      const values = partition.split('/').map((part) => part.replace(/^.*=/, ''))
      await glue.partition(name, values, path)
    }
  }
  const allDays = [1, 2, 3, 4, 5, 6, 7, 8, 9]

  test.each([
    ['a date', {dt: 'date'}, (two: string) => `dt=2024-01-${two}`],
    ['text of a date', {dt: 'string'}, (two: string) => `dt=2024-01-${two}`],
    ['text of digits', {dt: 'string'}, (two: string) => `dt=202401${two}`],
    ['a region and a date', {region: 'string', dt: 'date'}, (two: string) => `region=eu/dt=2024-01-${two}`],
    [
      'year, month, day',
      {year: 'int', month: 'string', day: 'string'},
      (two: string) => `year=2024/month=01/day=${two}`,
    ],
    ['folders that do not say it', {dt: 'date'}, (two: string) => `2024-01-${two}`],
  ] as const)('by %s: only days that are read, and one beside', async (what, keys, folderOf) => {
    const name = `by_${what.replaceAll(/\W+/g, '_')}`
    await daily(name, keys, folderOf, [3, 4, 5, 6, 7])
    expect(await rowsOf(source(name), {rate: 'float64'}, [4, 5])).toEqual([
      [4, 0.4],
      [5, 0.5],
    ])
    await expect(rowsOf(source(name), {rate: 'float64'})).rejects.toThrow(/too small to be a Parquet file/)
  })

  test('by a date of which nobody said what it is: all are read, and a late row is found', async () => {
    const location = join(folder, 'by_load')
    await glue.table('by_load', {location, format: 'parquet', columns: rowColumns, keys: {dt: 'date'}})
    for (const [loaded, day] of [
      ['2024-01-04', 4],
      ['2024-01-05', 5],
      ['2024-01-09', 6],
    ] as const) {
      await writeDays(join(location, `dt=${loaded}`, 'part.parquet'), [day])
      await glue.partition('by_load', [loaded], join(location, `dt=${loaded}`))
    }
    const {partitionedBy: _, ...unsaid} = source('by_load')
    expect(await rowsOf(unsaid, {rate: 'float64'}, [4, 6])).toEqual([
      [4, 0.4],
      [5, 0.5],
      [6, 0.6],
    ])
  })

  test('the catalog is asked for the days alone, and for all of them page after page', async () => {
    const location = join(folder, 'paged')
    await glue.table('paged', {location, format: 'parquet', columns: rowColumns, keys: {dt: 'date'}})
    const dates = Array.from({length: 1100}, (_, at) =>
      new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10),
    )
    await glue.partitions(
      'paged',
      dates.map((date) => ({values: [date], location: join(location, `dt=${date}`)})),
    )
    await writeDays(join(location, 'dt=2024-01-05', 'f'), [5])
    await writeDays(join(location, `dt=${dates.at(-1) ?? ''}`, 'f'), [1100])
    const asked = async (): Promise<number> => (await aws.calls())['Glue.GetPartitions'] ?? 0
    const before = await asked()
    expect(await rowsOf(source('paged'), {rate: 'float64'})).toEqual([
      [5, 0.5],
      [1100, 110],
    ])
    expect(await asked()).toBe(before + 2)
    expect(await rowsOf(source('paged'), {rate: 'float64'}, [5, 5])).toEqual([[5, 0.5]])
    expect(await asked()).toBe(before + 3)
  })

  test('that follow another time than that of the event are all read', async () => {
    // Loaded three days after the event.
    await daily(
      'late',
      {dt: 'date'},
      (two) => `dt=2024-01-${two}`,
      allDays,
      (of) => of - 3,
    )
    expect(await rowsOf(source('late'), {rate: 'float64'}, [2, 3])).toEqual([
      [2, 0.2],
      [3, 0.3],
    ])
  })

  test('one that lies elsewhere is read where it lies, and its keys are columns', async () => {
    await glue.table('scattered', {
      location: join(folder, 'scattered'),
      format: 'parquet',
      columns: rowColumns,
      keys: {region: 'string', dt: 'date'},
    })
    await writeDays(join(folder, 'scattered', 'region=eu', 'dt=2024-01-01', 'f'), [1])
    await glue.partition(
      'scattered',
      ['eu', '2024-01-01'],
      join(folder, 'scattered', 'region=eu', 'dt=2024-01-01'),
    )
    await writeDays(join(folder, 'elsewhere', 'f'), [2])
    await glue.partition('scattered', ["a b/c'", '2024-01-02'], join(folder, 'elsewhere'))
    expect(await rowsOf(source('scattered'), {rate: 'float64', region: 'string', dt: 'date'})).toEqual([
      [1, 0.1, 'eu', '2024-01-01'],
      [2, 0.2, "a b/c'", '2024-01-02'],
    ])
    // A partition that is not in the catalog is not in the table.
    await writeDays(join(folder, 'scattered', 'region=eu', 'dt=2024-01-03', 'f'), [3])
    expect(await rowsOf(source('scattered'), {rate: 'float64'})).toHaveLength(2)
  })

  test.each([
    ['CSV', {}],
    ['CSV with an escape', {'escape.delim': '\\'}],
  ] as const)('of %s', async (what, serde) => {
    const name = what.replaceAll(' ', '_')
    const location = join(folder, name)
    await glue.table(name, {
      location,
      format: 'tabs',
      columns: {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'double'},
      keys: {dt: 'date'},
      serde,
    })
    for (const of of [1, 2]) {
      const path = join(location, `dt=2024-01-0${of}`)
      mkdirSync(path, {recursive: true})
      writeFileSync(join(path, 'part'), `${of}\t2024-01-0${of}\t0.${of}\n`)
      await glue.partition(name, [`2024-01-0${of}`], path)
    }
    expect(await rowsOf(source(name), {rate: 'float64', dt: 'date'})).toEqual([
      [1, 0.1, '2024-01-01'],
      [2, 0.2, '2024-01-02'],
    ])
  })

  test('none that fits: no rows, and the newest row of the source is told', async () => {
    await daily('old', {dt: 'date'}, (two) => `dt=2024-01-${two}`, allDays)
    const rows = featureRows(source('old'), {driver_id: 'int64'}, {rate: 'float64'})
    const intervals = [{start: start + 100n * day, end: start + 101n * day}]
    expect(await store.summarizeSource({kind: 'source_summary', rows, intervals})).toMatchObject({
      rows: 0,
      newestEventTimestamp: start + 8n * day + day / 24n,
    })
    expect(await rowsOf(source('old'), {rate: 'float64'}, [101, 101])).toEqual([])
  })

  test('a training frame of an interval reads its days, and those of the ttl before', async () => {
    await daily('framed', {dt: 'date'}, (two) => `dt=2024-01-${two}`, [3, 4, 5, 6, 7, 8])
    const rows = featureRows(source('framed'), {driver_id: 'int64'}, {rate: 'float64'})
    const interval = {start: start + 4n * day, end: start + 6n * day}
    const {rows: frame} = await readFrame(
      store,
      frameQuery({kind: 'interval', interval}, [viewJoin(rows, {ttl: day})]),
    )
    expect(frame.map(([driver, , rate]) => [driver, rate])).toEqual([
      [5n, 0.5],
      [6n, 0.6],
    ])
  })
})

describe('what the catalog refuses is told', () => {
  const failure = (table: GlueSource): Promise<{code: string; message: string; hint: string}> =>
    store.describeSource({source: table, inputs: {}}).then(
      () => {
        throw new Error('it was described')
      },
      (error: unknown) => error as {code: string; message: string; hint: string},
    )

  test('a table and a database that are not there', async () => {
    const missing = await failure(source('missing'))
    expect(missing).toMatchObject({code: 'FS_SOURCE_UNREADABLE'})
    expect(missing.message).toMatch(
      /^Data source `missing`: There is no table `lake\.missing` in the Glue catalog in us-east-1: /,
    )
    expect(await failure(source('missing', {database: 'sea', catalogId: '123456789012'}))).toMatchObject({
      message: expect.stringContaining('`sea.missing` in the Glue catalog of account 123456789012') as string,
    })
  })

  test('access', async () => {
    await aws.faults([{operation: 'Glue.GetTable', type: 'AccessDeniedException', message: 'not for you'}])
    expect(await failure(source('plain'))).toMatchObject({
      code: 'FS_SOURCE_UNREADABLE',
      message: expect.stringMatching(/`lake\.plain`.* may not be read: not for you\.$/) as string,
      hint: expect.stringContaining('Allow `glue:GetTable`') as string,
    })
  })

  test('throttling is waited out, and told when it does not end', async () => {
    await aws.faults([{operation: 'Glue.GetTable', type: 'ThrottlingException', times: 2}])
    expect(await store.describeSource({source: source('plain'), inputs: {}})).toHaveLength(5)
    await aws.faults([{operation: 'Glue.GetTable', type: 'ThrottlingException', times: 100}])
    expect(await failure(source('plain'))).toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/refuses more requests \(GetTable of `lake\.plain`/) as string,
    })
  })

  test('no region', async () => {
    vi.stubEnv('AWS_REGION', '')
    try {
      expect(await failure(source('plain'))).toMatchObject({
        message: expect.stringContaining('No region of AWS is set') as string,
        hint: expect.stringContaining('AWS_REGION') as string,
      })
    } finally {
      vi.stubEnv('AWS_REGION', 'us-east-1')
    }
  })
})

describe('fs', () => {
  const newRepo = (definitions?: string): string => {
    const directory = mkdtempSync(join(folder, 'repo-'))
    writeFileSync(
      join(directory, 'feature_store.yaml'),
      `project: lake\nregistry: registry.json\noffline_store: {type: duckdb, extension_directory: ${duckDbExtensions()}}\nonline_store: {type: embedded, path: online}\n`,
    )
    if (definitions !== undefined) writeFileSync(join(directory, 'features.yaml'), definitions)
    return directory
  }
  const env = (): NodeJS.ProcessEnv => ({...process.env, ...aws.environment, NO_COLOR: '1'})

  test('imports tables, never twice, and what it wrote is applied, loaded and read', async () => {
    await glue.table('imported', {
      location: join(folder, 'imported'),
      format: 'parquet',
      columns: rowColumns,
      keys: {dt: 'date'},
    })
    for (const of of [1, 2]) {
      const path = join(folder, 'imported', `dt=2024-01-0${of}`)
      await writeDays(join(path, 'f'), [of])
      await glue.partition('imported', [`2024-01-0${of}`], path)
    }
    await glue.table('imported_orc', {location: folder, format: 'orc', columns: rowColumns})
    const cwd = newRepo()
    const command = ['import', 'glue', '--database', 'lake', '--table', 'imported', '--table', 'imported_orc']
    expect(await runFsJson(command, {cwd, env: env()})).toEqual({
      written: ['imported.yaml'],
      kept: [],
      skipped: [{table: 'imported_orc', reason: "it is ORC, which DuckDB can't read"}],
    })
    const file = join(cwd, 'imported.yaml')
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('timestamp_field: event_timestamp # confirm')
    writeFileSync(file, `# mine\n${text}`)
    expect(await runFsJson(command, {cwd, env: env()})).toMatchObject({written: [], kept: ['imported.yaml']})
    expect(readFileSync(file, 'utf8')).toBe(`# mine\n${text}`)

    await runFsJson(['apply', '--yes'], {cwd, env: env()})
    expect(await runFsJson(['materialize-incremental', '2024-02-01'], {cwd, env: env()})).toMatchObject({
      views: [{name: 'imported', status: 'ok', rows: {written: 2}}],
    })
    const read = await runFsJson(
      ['get-online-features', '--features', 'imported:rate', '--entity', 'driver_id=2'],
      {cwd, env: env()},
    )
    expect(JSON.stringify(read)).toContain('0.2')
  })

  test('a plan warns where the catalog has another type, and fails where a column is gone', async () => {
    const definitions = (feature: string): string => `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
{kind: data_source, name: stats, type: glue, database: lake, table: plain, timestamp_field: event_timestamp}
---
{kind: feature_view, name: stats, entities: [driver], source: stats, schema: [{name: ${feature}}]}
`
    const cwd = newRepo(definitions('trips, dtype: int64'))
    expect(await runFsJson(['plan'], {cwd, env: env()})).toMatchObject({
      warnings: [
        expect.stringMatching(
          /^feature_view\/stats: `trips` is declared as int64, and the catalog says int32 for it in lake\.plain/,
        ),
      ],
    })
    const shown = await runFs(['plan'], {cwd, env: env()})
    expect(shown.stderr.replaceAll(/[\s›]+/g, ' ')).toContain('the catalog says int32')
    const gone = await runFs(['plan'], {cwd: newRepo(definitions('speed, dtype: int64')), env: env()})
    expect(gone.code).toBe(1)
    expect(gone.stderr + gone.stdout).toMatch(/features\.yaml:7[^]*`speed` is not in source `stats`/)
  })
})
