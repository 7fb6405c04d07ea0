import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api'
import fc from 'fast-check'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {TimeBounds} from '../../src/compile/dialect.js'
import {duckDb} from '../../src/compile/dialects/duckdb.js'
import {boundsOf, typedRows} from '../../src/compile/source-rows.js'
import {literalValues} from '../../src/compile/sql-values.js'
import type {DataSource} from '../../src/definitions/definition.js'

let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create()).connect()
  await connection.run("SET TimeZone = 'Asia/Kathmandu'")
})
afterAll(() => connection.closeSync())

const rowsOf = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows()

/** Rows of the relation, of which some may have been left out. */
function relationOf(relation: string, nativeType: string, between?: TimeBounds): string {
  const source = {
    kind: 'data_source',
    name: 'rows',
    timestampField: 'at',
    fieldMapping: {},
  } as unknown as DataSource
  return typedRows(
    {
      rows: {view: 'view', source: {source, inputs: {}}, keys: [], features: []},
      source: {dialect: duckDb, relation, columns: [{name: 'at', nativeType}]},
    },
    {between: between === undefined ? undefined : {...between, values: literalValues}},
  )
}

/** Who reads any of these row groups fails. */
async function spoilRowGroups(file: string, condition: string): Promise<void> {
  const chunks = await rowsOf(
    `SELECT least(data_page_offset, dictionary_page_offset), total_compressed_size
     FROM parquet_metadata('${file}') WHERE ${condition}`,
  )
  expect(chunks.length).toBeGreaterThan(5)
  const bytes = readFileSync(file)
  for (const [offset, size] of chunks) bytes.fill(255, Number(offset), Number(offset) + Number(size))
  writeFileSync(file, bytes)
}

const microsOfDay = 86_400_000_000n
/** Within what all of the types hold. */
const instant = fc.bigInt(-9_000_000_000_000_000n, 9_000_000_000_000_000n)
const near = fc.constantFrom(-microsOfDay, -1000n, -1n, 0n, 1n, 999n, 1000n, microsOfDay - 1n, microsOfDay)

describe('the times that a source is asked for', () => {
  test.each([
    ['TIMESTAMP', (nanos: bigint) => `make_timestamp(${nanos / 1000n})`],
    ['TIMESTAMP WITH TIME ZONE', (nanos: bigint) => `make_timestamptz(${nanos / 1000n})`],
    ['TIMESTAMP_NS', (nanos: bigint) => `make_timestamp_ns(${nanos})`],
    ['DATE', (nanos: bigint) => `make_timestamp(${nanos / 1000n})::DATE`],
  ] as const)('leave out no row of a %s that is within', async (type, valueOf) => {
    const bounds = fc.record(
      {first: instant, length: fc.bigInt(0n, 3n * microsOfDay)},
      {requiredKeys: ['first', 'length']},
    )
    const steps = fc.array(fc.tuple(near, fc.bigInt(-1500n, 1500n), fc.boolean()), {
      minLength: 1,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(
        bounds,
        steps,
        fc.boolean(),
        fc.boolean(),
        async ({first, length}, some, hasFirst, hasLast) => {
          const last = first + length
          const values = some.map(([micros, nanos, isLast]) =>
            valueOf(((isLast ? last : first) + micros) * 1000n + nanos),
          )
          const relation = `(SELECT unnest([${values.join(', ')}, NULL]) AS at)`
          const between = {first: hasFirst ? first : undefined, last: hasLast ? last : undefined}
          const within = [
            't IS NOT NULL',
            ...(hasFirst ? [`t >= make_timestamp(${first})`] : []),
            ...(hasLast ? [`t <= make_timestamp(${last})`] : []),
          ].join(' AND ')
          const counts = [relationOf(relation, type), relationOf(relation, type, between)].map(async (rows) =>
            rowsOf(`SELECT t::VARCHAR FROM ${rows} AS rows WHERE ${within} ORDER BY t`),
          )
          const [all, asked] = await Promise.all(counts)
          expect(asked).toEqual(all)
        },
      ),
      {numRuns: 150},
    )
  })

  test('may lie beyond what a type holds', async () => {
    const relation = '(SELECT make_timestamp_ns(5000) AS at)'
    const between = {first: -100_000_000_000_000_000n, last: 100_000_000_000_000_000n}
    expect(
      await rowsOf(`SELECT epoch_us(t) FROM ${relationOf(relation, 'TIMESTAMP_NS', between)} AS rows`),
    ).toEqual([[5n]])
  })

  test.each(['TIMESTAMP WITH TIME ZONE', 'TIMESTAMP_NS', 'TIMESTAMP', 'DATE'])(
    'spare the row groups of a file that hold no such %s',
    async (type) => {
      const folder = mkdtempSync(join(tmpdir(), 'fs-between-'))
      try {
        const file = join(folder, 'rows.parquet')
        const time =
          type === 'TIMESTAMP WITH TIME ZONE' ? 'make_timestamptz(micros)' : `make_timestamp(micros)::${type}`
        await connection.run(
          `COPY (SELECT ${time} AS at FROM (SELECT range * ${microsOfDay} AS micros FROM range(100000)))
         TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 10240)`,
        )
        const between = {first: 50_000n * microsOfDay, last: 50_010n * microsOfDay}
        await spoilRowGroups(file, `NOT (row_group_id = 4 OR row_group_id = 5)`)
        const count = async (bounds?: TimeBounds) =>
          rowsOf(
            `SELECT count(*) FROM ${relationOf(`read_parquet('${file}')`, type, bounds)} AS rows
           WHERE t >= make_timestamp(${between.first}) AND t <= make_timestamp(${between.last})`,
          )
        expect(await count(between)).toEqual([[11n]])
        // TIMESTAMP is compared as it is stored, by whatever condition.
        if (type !== 'TIMESTAMP') await expect(count()).rejects.toThrow()
      } finally {
        rmSync(folder, {recursive: true})
      }
    },
  )
})

describe('what lies around the rows of a run', () => {
  const [a, b, c] = [10n, 20n, 30n]
  test('is from the first start to the last end', () => {
    expect(
      boundsOf({
        intervals: [
          {start: b, end: c},
          {start: a, end: b},
        ],
      }),
    ).toEqual({first: a, last: c})
  })

  test('is not known where rows without a time may be among them', () => {
    expect(
      boundsOf({
        intervals: [
          {start: null, end: c},
          {start: a, end: b},
        ],
      }),
    ).toBeUndefined()
    expect(
      boundsOf({
        intervals: [{start: a, end: b}],
        arrived: {after: a, orEqual: false, within: {start: a, end: c}},
      }),
    ).toBeUndefined()
    expect(boundsOf({intervals: []})).toBeUndefined()
  })
})
