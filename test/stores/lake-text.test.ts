/** Text files of tables of a Glue Data Catalog: which text is null, in which column. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import type {DataSource} from '../../src/definitions/definition.js'
import type {ValueType} from '../../src/definitions/value-type.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {featureRows, latestQuery, readNewest} from '../support/frames.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'

let folder = ''
let aws: AdoptedAws
let glue: GlueTables
let store: OfflineStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-text-'))
  aws = await adoptAws({bucket: 'text'})
  glue = await GlueTables.create(aws.url, 'lake')
  store = await openOfflineStore({type: 'duckdb', settings: {}}, {repoDirectory: folder})
})
afterAll(async () => {
  glue.close()
  await store[Symbol.asyncDispose]()
  await aws.dispose()
  rmSync(folder, {recursive: true, force: true})
})

const source = (table: string): DataSource => ({
  ...{kind: 'data_source', name: table, type: 'glue', timestampField: 'event_timestamp'},
  ...{database: 'lake', table},
})

/** Newest rows, by key: the features alone. */
async function rowsOf(
  table: DataSource,
  features: Readonly<Record<string, ValueType>>,
  inputs: Readonly<Record<string, DataSource>> = {},
): Promise<readonly (readonly unknown[])[]> {
  const trees = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, {source: input, inputs: {}}]),
  )
  const rows = featureRows(table, {driver_id: 'int64'}, features)
  const query = latestQuery({...rows, source: {source: table, inputs: trees}})
  return (await readNewest(store, query)).rows.map(({values}) => values)
}

// Rows of a key, a string, a number and a string, of which the text of the last may be missing.
const tabs = ['1\ta\t5\tb', '2\t\t\t', '3\t\\N\t\\N\t\\N', '4\tNA\tNA\tNA', '5\ta\t5']
test.each([
  {
    what: 'text: an empty text is one, and null in a number',
    rows: tabs.filter((row) => !row.startsWith('4')),
    found: [
      ['a', 5, 'b'],
      ['', null, ''],
      [null, null, null],
      ['a', 5, null],
    ],
  },
  {
    what: 'text whose null is empty',
    rows: tabs.filter((row) => /^[125]/.test(row)),
    parameters: {'serialization.null.format': ''},
    found: [
      ['a', 5, 'b'],
      [null, null, null],
      ['a', 5, null],
    ],
  },
  {
    what: 'text whose null the SerDe tells',
    rows: [...tabs.filter((row) => !row.startsWith('3')), '6\t\\N\t5\tb'],
    serde: {'serialization.null.format': 'NA'},
    found: [
      ['a', 5, 'b'],
      ['', null, ''],
      [null, null, null],
      ['a', 5, null],
      ['\\N', 5, 'b'],
    ],
  },
  {
    what: 'text with an escape, which the null holds',
    rows: [...tabs.filter((row) => !row.startsWith('4')), '6\ta\\\tb\t5\t\\\\N', '7\tN\t5\t"\\"'],
    serde: {'escape.delim': '\\'},
    found: [
      ['a', 5, 'b'],
      ['', null, ''],
      [null, null, null],
      ['a', 5, null],
      ['a\tb', 5, '\\N'],
      ['N', 5, '""'],
    ],
  },
  {
    what: 'CSV, in which nothing is null but an empty number',
    format: 'csv',
    rows: ['1;a;5;b', '2;;;', '3;"";"";""', '4;NULL;5;NA', '5;a;5'],
    parameters: {'serialization.null.format': 'NA'},
    found: [
      ['a', 5, 'b'],
      ['', null, ''],
      ['', null, ''],
      ['NULL', 5, 'NA'],
      ['a', 5, null],
    ],
  },
] as const)('$what', async ({what, rows, found, ...more}) => {
  const name = what.replaceAll(/\W+/g, '_').toLowerCase()
  mkdirSync(join(folder, name))
  const between = 'format' in more ? ';' : '\t'
  const lines = rows.map((row) => row.replace(between, `${between}2024-01-01 00:00:00${between}`))
  writeFileSync(join(folder, name, 'part-0'), `${lines.join('\n')}\n`)
  await glue.table(name, {
    ...{location: join(folder, name), format: 'tabs', ...more},
    columns: {
      ...{driver_id: 'bigint', event_timestamp: 'timestamp'},
      ...{first: 'string', number: 'int', last: 'string'},
    },
  })
  const features = {first: 'string', number: 'int32', last: 'string'} as const
  expect(await rowsOf(source(name), features)).toEqual(found)
  expect(await rowsOf(source(name), {...features, number: 'string'})).toEqual(
    found.map(([first, number, last]) => [first, number?.toString() ?? null, last]),
  )
  // SQL over the table sees types.
  const query: DataSource = {
    ...{kind: 'data_source', name: 'over', type: 'query', timestampField: 'event_timestamp'},
    query: 'SELECT *, number + 1 AS next FROM rows',
  }
  expect(await rowsOf(query, {...features, next: 'int32'}, {rows: source(name)})).toEqual(
    found.map(([first, number, last]) => [first, number, last, number === null ? null : number + 1]),
  )
})
