/** What a sync costs follows from how the engine joins: `sync-snapshot.test.ts` says that it is right. */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {expect, test} from 'vitest'
import {duckDb} from '../../src/compile/dialects/duckdb.js'
import type {LatestPerEntityQuery} from '../../src/compile/query.js'
import {stepOf} from '../../src/compile/relations.js'
import {compileSnapshotChanges} from '../../src/compile/snapshot-changes.js'
import type {ReadableRows} from '../../src/compile/source-rows.js'
import {literalValues} from '../../src/compile/sql-values.js'

const rows = {
  view: 'view',
  source: {
    source: {
      kind: 'data_source',
      name: 'rows',
      timestampField: 'at',
      createdTimestampColumn: 'made',
      fieldMapping: {},
    },
    inputs: {},
  },
  keys: [{name: 'k', valueType: 'int64'}],
  // A value that may not fit its type is asked about in each comparison.
  features: [{name: 'f', valueType: 'int32'}],
} as unknown as LatestPerEntityQuery['rows']
const readable: ReadableRows = {
  rows,
  source: {
    dialect: duckDb,
    relation: 'rows',
    columns: [
      {name: 'k', nativeType: 'BIGINT'},
      {name: 'at', nativeType: 'TIMESTAMP'},
      {name: 'made', nativeType: 'TIMESTAMP'},
      {name: 'f', nativeType: 'BIGINT'},
    ],
  },
}

test.each(['key', 'any'] as const)(
  'no row of now is compared with all of before (order: %s)',
  async (order) => {
    const folder = mkdtempSync(join(tmpdir(), 'fs-snapshot-plan-'))
    const connection = await (await DuckDBInstance.create()).connect()
    try {
      const query = {kind: 'latest_per_entity', rows, order, intervals: [{start: null, end: 0n}]} as const
      const state = join(folder, 'state.parquet')
      const at = "TIMESTAMP '1960-01-01' + to_days((hash(range) % 9)::INT)"
      const before = `SELECT range AS k0, ${at} AS t, ${at} AS c, range::VARCHAR AS h FROM range(99)`
      await connection.run(`COPY (${before}) TO '${state}' (FORMAT parquet)`)
      await connection.run(
        `CREATE TABLE rows AS SELECT range + 3 AS k, ${at} AS at, ${at} AS made, range * 99999999 AS f FROM range(99)`,
      )
      const script = compileSnapshotChanges(query, readable, literalValues, {verified: state, begun: []})
      const {relations, select} = script.changed
      for (const {kept, name, sql} of relations)
        if (kept === 'table')
          await connection.run(`CREATE TEMP TABLE ${name} AS ${stepOf(script.changed, sql(), duckDb)}`)
      const statements = [select(), script.wentBack, script.gone, script.counts, script.state([[1n]])]
      for (const statement of statements) {
        const plan = await connection.runAndReadAll(`EXPLAIN ${stepOf(script.changed, statement, duckDb)}`)
        expect(String(plan.getRows()[0]?.[1])).toContain('JOIN')
        expect(String(plan.getRows()[0]?.[1])).not.toMatch(/NESTED_LOOP|BLOCKWISE_NL/)
      }
    } finally {
      connection.closeSync()
      rmSync(folder, {recursive: true, force: true})
    }
  },
)
