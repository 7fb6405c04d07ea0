import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {duckDb} from '../../src/compile/dialects/duckdb.js'
import {compileLatestPerEntity} from '../../src/compile/latest-per-entity.js'
import type {FeatureRows, LatestPerEntityQuery} from '../../src/compile/query.js'
import {BoundValues} from '../../src/compile/sql-values.js'
import {valueAt} from '../../src/definitions/column-batch.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'

const keys = 20_000
let folder = ''
let offline: OfflineStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-single-'))
  offline = await openOfflineStore({type: 'duckdb', settings: {}}, {repoDirectory: folder})
  const connection = await (await DuckDBInstance.create()).connect()
  const row = (range: string, day: string): string =>
    `SELECT (hash(${range}) >> 1)::BIGINT AS id, TIMESTAMP '${day}' AS t,
       CASE WHEN ${range} % 7 = 0 THEN 'none' WHEN ${range} % 5 = 0 THEN NULL ELSE ${range}::VARCHAR END AS value
     FROM range(${keys})`
  // No key, no time, and a time that is not asked for: such rows make no key one of several rows.
  const others = `SELECT NULL, TIMESTAMP '2026-01-03', '1' UNION ALL SELECT 1, NULL, '1'
    UNION ALL SELECT (hash(3) >> 1)::BIGINT, TIMESTAMP '2030-01-01', '1'`
  const newest = `(${row('range', '2026-01-02')} UNION ALL ${others})`
  const sources = {
    single: newest,
    several: `(${newest} UNION ALL ${row('range', '2026-01-01')})`,
    one_several: `(${newest} UNION ALL SELECT (hash(5) >> 1)::BIGINT, TIMESTAMP '2026-01-01', '1')`,
    tied: `(${newest} UNION ALL SELECT (hash(8) >> 1)::BIGINT, TIMESTAMP '2026-01-02', '-1')`,
  }
  for (const [name, sql] of Object.entries(sources))
    await connection.run(`COPY ${sql} TO '${join(folder, `${name}.parquet`)}' (FORMAT parquet)`)
  connection.closeSync()
})
afterAll(async () => {
  await offline[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true, force: true})
})

function queryOf(name: string): LatestPerEntityQuery {
  const rows: FeatureRows = {
    view: name,
    source: {
      source: {kind: 'data_source', type: 'file', name, path: `${name}.parquet`, timestampField: 't'},
      inputs: {},
    },
    keys: [{name: 'id', valueType: 'int64'}],
    features: [{name: 'value', valueType: 'int64'}],
  }
  const end = BigInt(Date.UTC(2026, 5)) * 1000n
  return {kind: 'latest_per_entity', rows, intervals: [{start: null, end}], order: 'key'}
}

async function newestOf(name: string): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for await (const {columns, rowCount, misfits} of offline.readLatest(queryOf(name))) {
    const unfit = new Map(misfits.map(({row, feature, value}) => [row, `${feature}: ${value}`]))
    for (let row = 0; row < rowCount; row += 1)
      found.push([...columns.map((column) => valueAt(column, row)), unfit.get(row)])
  }
  return found
}

test('newest rows are the same whether keys have one row each or older ones as well', async () => {
  const single = await newestOf('single')
  expect(single).toHaveLength(keys)
  expect(single.filter((row) => (row as unknown[]).at(-1) === 'value: none')).toHaveLength(
    Math.ceil(keys / 7),
  )
  const ids = single.map((row) => (row as readonly bigint[])[0] as bigint)
  expect(ids).toStrictEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)))
  for (const name of ['several', 'one_several', 'tied']) expect(await newestOf(name)).toStrictEqual(single)
})

test('who asks for other rows than the newest of each key gets no shortcut', () => {
  const query = queryOf('single')
  const readable = {
    rows: query.rows,
    source: {
      dialect: duckDb,
      relation: '"source"',
      columns: [
        {name: 'id', nativeType: 'BIGINT'},
        {name: 't', nativeType: 'TIMESTAMP'},
        {name: 'value', nativeType: 'VARCHAR'},
      ],
    },
  }
  const shortcutOf = (more: Partial<LatestPerEntityQuery>): unknown =>
    compileLatestPerEntity({...query, ...more}, readable, new BoundValues()).shortcut
  expect(shortcutOf({})).toBeDefined()
  expect(shortcutOf({everyKey: true})).toBeUndefined()
  expect(shortcutOf({sample: {seed: 1n, size: 5}})).toBeUndefined()
})
