import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, expect, test} from 'vitest'
import type {FeatureRows} from '../../src/compile/query.js'
import {valueAt} from '../../src/definitions/column-batch.js'
import type {Value} from '../../src/definitions/value-type.js'
import {formatPosition, parsePosition} from '../../src/materialize/load-position.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'

let folder = ''
let offline: OfflineStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-after-'))
  offline = await openOfflineStore({type: 'duckdb', settings: {}}, {repoDirectory: folder})
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(
    `COPY (SELECT a, b, c, d, e, f, g, TIMESTAMP '2026-01-01' AS t FROM
       (VALUES (false), (true)) AS v1(a),
       (VALUES (CAST('-2147483648' AS INTEGER)), (0::INTEGER), (7::INTEGER)) AS v2(b),
       (VALUES (CAST('-9223372036854775808' AS BIGINT)), (9007199254740993::BIGINT)) AS v3(c),
       (VALUES (TIMESTAMP '1969-12-31 23:59:59.999999'), (TIMESTAMP '2026-01-01')) AS v4(d),
       (VALUES (DATE '0001-01-01'), (DATE '2026-02-03')) AS v5(e),
       (VALUES (''), ('a'), ('a' || chr(0)), ('Z'), ('é'), ('''; --')) AS v6(f),
       (VALUES (''::BLOB), ('\\x00'::BLOB), ('\\xFF'::BLOB)) AS v7(g)
     ) TO '${join(folder, 'keys.parquet')}' (FORMAT parquet)`,
  )
  connection.closeSync()
})
afterAll(async () => {
  await offline[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true, force: true})
})

test('what comes after a key is the rest, for keys of every type and at each of their places', async () => {
  const rows: FeatureRows = {
    view: 'keys',
    source: {
      source: {kind: 'data_source', type: 'file', name: 'keys', path: 'keys.parquet', timestampField: 't'},
      inputs: {},
    },
    keys: [
      {name: 'a', valueType: 'bool'},
      {name: 'b', valueType: 'int32'},
      {name: 'c', valueType: 'int64'},
      {name: 'd', valueType: 'timestamp'},
      {name: 'e', valueType: 'date'},
      {name: 'f', valueType: 'string'},
      {name: 'g', valueType: 'bytes'},
    ],
    features: [],
  }
  const read = async (after?: readonly Value[]): Promise<readonly (readonly string[])[]> => {
    const found: (readonly string[])[] = []
    const query = {
      kind: 'latest_per_entity',
      rows,
      intervals: [{start: null, end: 2n ** 60n}],
      order: 'key',
      after,
    } as const
    for await (const {columns, rowCount} of offline.readLatest(query))
      for (let row = 0; row < rowCount; row += 1) {
        const keys = columns.slice(0, rows.keys.length)
        const position = formatPosition(keys, row)
        expect(parsePosition(rows.keys, position)).toEqual(keys.map((column) => valueAt(column, row)))
        found.push(position)
      }
    return found
  }
  const all = await read()
  expect(all).toHaveLength(2 * 3 * 2 * 2 * 2 * 6 * 3)
  for (let at = 0; at < all.length; at += 23)
    expect(await read(parsePosition(rows.keys, all[at] ?? []))).toEqual(all.slice(at + 1))
  expect(await read(parsePosition(rows.keys, all.at(-1) ?? []))).toEqual([])
})
