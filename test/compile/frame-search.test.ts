/** How a view's rows are looked for follows from what the entity rows ask: `frame-of-many-rows.test.ts` says that it is right. */
import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {duckDb} from '../../src/compile/dialects/duckdb.js'
import {compilePointInTime} from '../../src/compile/point-in-time.js'
import {stepOf, type RelationScript} from '../../src/compile/relations.js'
import {literalValues} from '../../src/compile/sql-values.js'
import type {DataSource} from '../../src/definitions/definition.js'

let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create()).connect()
})
afterAll(() => connection.closeSync())

/** Of a view with the keys `k` and `part`, asked by what `entities` selects: `id`, its `place` among those of this id. */
async function searchFor(entities: string, options: {knowledgeTime?: boolean} = {}): Promise<string> {
  const {script, search} = await scriptFor(entities, options)
  return stepOf(script, search?.sql() ?? '', duckDb)
}

async function scriptFor(entities: string, {knowledgeTime = false, type = 'file'} = {}) {
  const source = {
    kind: 'data_source',
    type,
    name: 'rows',
    timestampField: 'at',
    createdTimestampColumn: 'made',
    fieldMapping: {},
  } as unknown as DataSource
  const columns = (list: string) =>
    list.split(', ').map((one) => {
      const [name = '', nativeType = ''] = one.split(' ')
      return {name, nativeType}
    })
  const query = {
    kind: 'point_in_time',
    entityRows: {kind: 'sql', sql: '', inputs: {}},
    timestampColumn: 'event_timestamp',
    joins: [
      {
        alias: 'view',
        rows: {
          view: 'view',
          source: {source, inputs: {}},
          keys: [
            {name: 'k', valueType: 'int64'},
            {name: 'part', valueType: 'int64'},
          ],
          features: [{name: 'f', valueType: 'double'}],
        },
        entityColumns: ['k', 'part'],
        knowledgeTime,
        outputs: [{feature: 'f', as: 'f'}],
      },
    ],
  } as unknown as Parameters<typeof compilePointInTime>[0]['query']
  const compile = (facts?: readonly unknown[]): RelationScript =>
    compilePointInTime({
      query,
      entityRows: {
        columns: columns('k BIGINT, part BIGINT, event_timestamp TIMESTAMP'),
        write: () =>
          `(SELECT id AS k, 1 AS part, TIMESTAMP '2026-01-01' AS event_timestamp FROM (${entities}))`,
      },
      joins: query.joins.map((join) => ({
        join,
        source: {
          dialect: duckDb,
          relation: 'rows',
          columns: columns('k BIGINT, part BIGINT, at TIMESTAMP, made TIMESTAMP, f DOUBLE'),
        },
      })),
      values: literalValues,
      facts,
    })
  for (const {name, sql} of compile().relations.slice(0, 1))
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${sql()}`)
  const [facts] = (await connection.runAndReadAll(compile().facts?.query() ?? '')).getRows()
  const script = compile(facts)
  const search = script.relations.find(({name}) => ['"frame.times"', '"v0.found"'].includes(name))
  return {script, search}
}

const each = (count: number, times: number): string =>
  `SELECT range % ${count} AS id FROM range(${count * times})`

test.each([
  ['of a key each', each(500, 1)],
  ['of which four share each key', each(500, 4)],
  ['of which some share a key', `${each(2000, 1)} UNION ALL SELECT 1 FROM range(31)`],
  ['of which many have no key', `${each(500, 1)} UNION ALL SELECT NULL FROM range(400)`],
])('entity rows %s are held, and met by the rows of their keys', async (_, entities) => {
  const search = await searchFor(entities)
  expect(search).toContain('max(known.t)')
  expect(search).not.toMatch(/ASOF|SEMI/)
})

test.each([
  ['of which five share each key', each(500, 5)],
  ['of which many share one key', `${each(5000, 1)} UNION ALL SELECT 1 FROM range(32)`],
  ['without a key', 'SELECT NULL::BIGINT AS id FROM range(9)'],
  ['that are none', 'SELECT 1 AS id WHERE false'],
])('for entity rows %s both sides are sorted, after a search for the keys', async (_, entities) => {
  expect(await searchFor(entities)).toMatch(/SEMI JOIN[^]*ASOF LEFT JOIN/)
})

test('for more than 100,000 entity rows that share keys the keys are not looked for', async () => {
  const search = await searchFor(each(20_001, 5))
  expect(search).toContain('ASOF LEFT JOIN')
  expect(search).not.toContain('SEMI')
})

test('rows that count from the later of two times on are sorted, after a search for the keys', async () => {
  expect(await searchFor(each(500, 1), {knowledgeTime: true})).toMatch(/SEMI JOIN[^]*ASOF LEFT JOIN/)
})

test.each([
  ['file', 500],
  // The user's own SQL would be grouped so, too.
  ['query', undefined],
  ['duckdb', undefined],
])('of a source of type %s, places for all entity rows: %s', async (type, places) => {
  const {search} = await scriptFor(each(500, 1), {type})
  expect(search?.denseGroups).toBe(places)
})
