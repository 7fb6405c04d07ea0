/** What DuckDB reads: every kind of source, and entity rows of every kind, exactly. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {EntityRows} from '../../src/compile/query.js'
import {valueAt} from '../../src/definitions/column-batch.js'
import type {DataSource} from '../../src/definitions/definition.js'
import type {ValueType} from '../../src/definitions/value-type.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {featureRows, frameQuery, latestQuery, readFrame, readNewest, viewJoin} from '../support/frames.js'

let folder = ''
let store: OfflineStore
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-sources-'))
  store = await openOfflineStore({type: 'duckdb', settings: {}}, {repoDirectory: folder})
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true, force: true})
})

const write = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), {recursive: true})
  writeFileSync(join(folder, path), text)
}
const common = {kind: 'data_source', name: 'stats', timestampField: 'ts'} as const
const fileSource = (path: string, more: object = {}): DataSource => ({...common, type: 'file', path, ...more})

async function newest(
  source: DataSource,
  features: Readonly<Record<string, ValueType>>,
  inputs: object = {},
) {
  const rows = featureRows(source, {id: 'int64'}, features)
  const {rows: read, misfits} = await readNewest(
    store,
    latestQuery({...rows, source: {source, inputs: inputs as typeof rows.source.inputs}}),
  )
  return {
    values: read
      .toSorted((one, other) => Number(one.key[0]) - Number(other.key[0]))
      .map(({key, values}) => [...key, ...values]),
    misfits,
  }
}

async function runSql(file: string, ...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(join(folder, file))
  const connection = await instance.connect()
  for (const statement of statements) await connection.run(statement)
  connection.closeSync()
  instance.closeSync()
}

/** More rows than the engine looks at before it decides on types. */
const manyIntegers = (column: (id: number) => string): string =>
  Array.from({length: 25_000}, (_, id) => `${id + 10},2024-01-01,${column(id)}\n`).join('')

describe('a source', () => {
  test('of CSV: values are read as declared, the first odd one not by the types of those before', async () => {
    write(
      'a.csv',
      `id,ts,trips,rate,zip\n${manyIntegers(() => '1,1,00501')}1,2024-01-01T00:00:00Z,2.5,1.5,"007"\n2,2024-01-02,7,0.10,\n`,
    )
    const {values, misfits} = await newest(fileSource('a.csv'), {
      trips: 'int64',
      rate: 'float64',
      zip: 'string',
    })
    expect(values.slice(0, 2)).toEqual([
      [1n, null, 1.5, '007'],
      [2n, 7n, 0.1, null],
    ])
    expect(misfits).toEqual([{key: [1n], feature: 'trips', value: '2.5'}])
  })

  test('of CSV: a row whose time is no time stands for itself', async () => {
    write('t.csv', 'id,ts,v\n1,2024-01-01,1\n2,yesterday,2\n3,,3\n')
    const rows = featureRows(fileSource('t.csv'), {id: 'int64'}, {v: 'int64'})
    expect((await newest(fileSource('t.csv'), {v: 'int64'})).values).toEqual([[1n, 1n]])
    const told: unknown[] = []
    for await (const batch of store.readIncompleteRows(latestQuery(rows)))
      for (let row = 0; row < batch.rowCount; row += 1)
        told.push(batch.columns.map((column) => valueAt(column, row)))
    expect(told).toEqual([
      ['2', 'yesterday', '2'],
      ['3', null, '3'],
    ])
  })

  test('whose time is -infinity with a time zone gives no row, neither to a load nor to a frame', async () => {
    await runSql(
      'ever.duckdb',
      `COPY (SELECT 1::BIGINT AS id, '-infinity'::TIMESTAMPTZ AS ts, 10::BIGINT AS v) TO '${join(folder, 'ever.parquet')}'`,
    )
    const source = fileSource('ever.parquet')
    expect((await newest(source, {v: 'int64'})).values).toEqual([])
    const rows = featureRows(source, {id: 'int64'}, {v: 'int64'})
    const asked = {
      kind: 'sql',
      sql: `SELECT 1 AS id, TIMESTAMP '2024-01-01' AS event_timestamp`,
      inputs: {},
    } as const
    const frame = await readFrame(
      store,
      frameQuery(asked, [viewJoin(rows, {outputs: [{feature: 'v', as: 'v'}]})]),
    )
    expect(frame.rows.map((row) => row[2])).toEqual([null])
  })

  test('of JSON, by lines and as one list', async () => {
    write('a.jsonl', '{"id": 9007199254740993, "ts": "2024-01-01", "tags": ["x", null], "big": "1"}\n')
    write('b.json', '[{"id": 1, "ts": "2024-01-01T00:00:00+02:00", "tags": [], "big": null}]')
    const types = {tags: 'list<string>', big: 'int64'} as const
    expect((await newest(fileSource('a.jsonl'), types)).values).toEqual([
      [9007199254740993n, ['x', null], 1n],
    ])
    expect((await newest(fileSource('b.json'), types)).values).toEqual([[1n, [], null]])
  })

  test('of many files: by pattern, as a folder with hive partitions, names with brackets', async () => {
    write('days/day=2024-01-01/a.csv', 'id,ts,v\n1,2024-01-01,1\n')
    write('days/day=2024-01-02/b.csv', 'ts,id,v\n2024-01-02,1,2\n2024-01-02,2,3\n')
    write('odd[1]*/c.csv', 'id,ts,v\n3,2024-01-01,4\n')
    const features = {v: 'int32', day: 'date'} as const
    const both = [
      [1n, 2, '2024-01-02'],
      [2n, 3, '2024-01-02'],
    ]
    expect((await newest(fileSource('days'), features)).values).toEqual(both)
    expect((await newest(fileSource('days/*/*.csv'), features)).values).toEqual(both)
    expect((await newest(fileSource('odd[1]*/c.csv'), {v: 'int32'})).values).toEqual([[3n, 4]])
  })

  test('of a database: a table and a query', async () => {
    await runSql(
      'own.duckdb',
      `CREATE TABLE "Odd ""table""" AS SELECT 1::BIGINT AS id, TIMESTAMP '2024-01-01' AS ts, 1.5::DECIMAL(9,2) AS v`,
    )
    const database = (more: object): DataSource => ({...common, type: 'duckdb', path: 'own.duckdb', ...more})
    expect((await newest(database({table: 'Odd "table"'}), {v: 'decimal(9,2)'})).values).toEqual([
      [1n, '1.50'],
    ])
    const query = 'SELECT id, ts, v * 2 AS v FROM "Odd ""table""" -- twice'
    expect((await newest(database({query}), {v: 'float64'})).values).toEqual([[1n, 3]])
  })

  test('by SQL over others, whose values it sees exactly', async () => {
    write(
      'raw.csv',
      `id,ts,v,big\n${manyIntegers(() => '1,1')}1,2024-01-01,1.5,12345678901234567890123\n2,2024-01-01,2,7\n`,
    )
    const raw = fileSource('raw.csv', {name: 'raw'})
    const query: DataSource = {
      ...common,
      type: 'query',
      query: `SELECT id, ts, v, big FROM raw WHERE id < 3;`,
    }
    const inputs = {raw: {source: raw, inputs: {}}}
    const {values} = await newest(query, {v: 'float64', big: 'string'}, inputs)
    expect(values).toEqual([
      [1n, 1.5, '12345678901234567890123'],
      [2n, 2, '7'],
    ])
    // What is no integer is no integer here either.
    expect((await newest(query, {v: 'int64'}, inputs)).misfits).toMatchObject([{feature: 'v', key: [1n]}])
  })

  test.each(['now()', 'current_date', 'random()', 'uuid()', "nextval('s')"])(
    'that depends on %s is refused with its place',
    async (expression) => {
      const query: DataSource = {...common, type: 'query', query: `SELECT 1 AS id,\n  ${expression} AS ts`}
      await expect(store.describeSource({source: query, inputs: {}})).rejects.toMatchObject({
        code: 'FS_SOURCE_NOT_REPRODUCIBLE',
        message: expect.stringContaining('line 2, column 3') as string,
      })
    },
  )

  test('is read by the names that its field mapping gives', async () => {
    write('m.csv', 'ID,when,v\n1,2024-01-01,1\n')
    const source = fileSource('m.csv', {fieldMapping: {ID: 'id', when: 'ts', v: 'Trips now'}})
    expect((await newest(source, {'Trips now': 'int32'})).values).toEqual([[1n, 1]])
    expect((await store.describeSource({source, inputs: {}})).map(({name}) => name)).toEqual([
      'id',
      'ts',
      'Trips now',
    ])
  })
})

describe('entity rows', () => {
  const entities = async (rows: EntityRows, features: Readonly<Record<string, ValueType>> = {v: 'int64'}) => {
    write('f.csv', 'id,ts,v\n1,2024-01-01,10\n1,2024-01-03,30\n2,2024-01-02,20\n')
    return readFrame(
      store,
      frameQuery(rows, [viewJoin(featureRows(fileSource('f.csv'), {id: 'int64'}, features))]),
    )
  }

  test('of CSV keep every value: what a DOUBLE would round stays text', async () => {
    write(
      'e.csv',
      'id,event_timestamp,label,big,money,short\n' +
        '1,2024-01-02T00:00:00Z,0.30000000000000004,123456789012345678901234567890,12345678901234567.89,1.10\n' +
        '2,2024-01-05,1e-7,7,0.5,0.5\n1,2023-01-01,-3,8,1,2\n',
    )
    const {columns, rows} = await entities({kind: 'file', path: join(folder, 'e.csv'), format: 'csv'})
    expect(Object.fromEntries(columns.map(({name, valueType}) => [name, valueType]))).toMatchObject({
      id: 'int64',
      label: 'float64',
      big: 'string',
      money: 'string',
      short: 'float64',
    })
    expect(rows.map((row) => [row[0], ...row.slice(2)])).toEqual([
      [1n, 0.30000000000000004, '123456789012345678901234567890', '12345678901234567.89', 1.1, 10n],
      [2n, 1e-7, '7', '0.5', 0.5, 20n],
      [1n, -3, '8', '1', 2, null],
    ])
  })

  test('of CSV are not rounded by the types of the rows before', async () => {
    write('e.csv', `id,event_timestamp,label\n${manyIntegers(() => '4')}1,2024-01-02,1.5\n`)
    const {rows} = await entities({kind: 'file', path: join(folder, 'e.csv'), format: 'csv'})
    expect(rows).toHaveLength(25_001)
    expect(rows.at(-1)?.slice(2)).toEqual([1.5, 10n])
  })

  test('of JSON are exact too', async () => {
    write(
      'e.json',
      '[{"id": 2, "event_timestamp": "2024-01-02", "big": 12345678901234567890123, "label": 0.5}, {"id": 1, "event_timestamp": "2024-01-09", "big": 1, "label": null}]',
    )
    const {rows} = await entities({kind: 'file', path: join(folder, 'e.json'), format: 'json'})
    expect(rows.map((row) => [row[0], ...row.slice(2)])).toEqual([
      [2n, '12345678901234567890123', 0.5, 20n],
      [1n, '1', null, 30n],
    ])
  })

  test('by SQL over sources', async () => {
    const {rows} = await entities({
      kind: 'sql',
      sql: 'SELECT id, ts + INTERVAL 1 DAY AS event_timestamp FROM stats WHERE v > 10 ORDER BY v DESC',
      inputs: {stats: {source: fileSource('f.csv'), inputs: {}}},
    })
    expect(rows.map((row) => [row[0], row[2]])).toEqual([
      [1n, 30n],
      [2n, 20n],
    ])
  })

  test('by interval: each key and time of the views in (start, end], by time', async () => {
    const micros = (day: number) => BigInt(Date.UTC(2024, 0, day)) * 1000n
    const {rows} = await entities({kind: 'interval', interval: {start: micros(1), end: micros(3)}})
    expect(rows).toEqual([
      [2n, micros(2), 20n],
      [1n, micros(3), 30n],
    ])
  })
})
