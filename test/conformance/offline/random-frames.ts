/** Frames and newest rows of random data, held against the oracle. */
import fc from 'fast-check'
import {expect} from 'vitest'
import type {Value} from '../../../src/definitions/value-type.js'
import {
  columnsOf,
  entityValues,
  featureRows,
  frameQuery,
  latestQuery,
  readFrame,
  readNewest,
  viewJoin,
} from '../../support/frames.js'
import {latestPerEntity, pointInTime, type OracleRow, type Row} from '../../support/oracle.js'
import type {OfflineStoreFixture, OfflineSuite} from './fixture.js'

const noon = 1_704_110_400_000_000n
const ttl = 10n

/** Keys that collide when they are joined with or without a separator. */
const anyKey = fc.constantFrom<Row>(
  ['a', 1n],
  ['a:', 1n],
  ['a', 11n],
  ['a1', 1n],
  ['"ü\'', 2n ** 53n + 1n],
  ['', -1n],
)
const anyKeyOrNull = fc.oneof({arbitrary: anyKey, weight: 9}, fc.constantFrom<Row>([null, 1n], ['a', null]))

/** Times that meet each other, the edges of the ttl and both sides of them; some before 1970. */
const anyTime = fc.oneof(
  fc.integer({min: -12, max: 12}).map((micros) => noon + BigInt(micros)),
  fc.constantFrom(-1n, 0n, -ttl),
)
const anyValues = fc.tuple(
  fc.option(fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n))),
  fc.option(fc.constantFrom(0, 0.1, -1, Infinity, NaN)),
  fc.option(fc.constantFrom('', 'a', 'b\'"', 'ü')),
  fc.option(fc.constantFrom<(bigint | null)[]>([], [null], [1n], [1n, null], [1n, 0n])),
)
const anyRow = fc.record({
  key: anyKeyOrNull,
  event: anyTime,
  created: fc.option(anyTime),
  values: anyValues.map((values): Row => values),
})
/** Rows, some of them twice or thrice. */
const anyRows = fc
  .array(fc.record({row: anyRow, times: fc.constantFrom(1, 1, 1, 2, 3)}), {maxLength: 30})
  .map((rows) => rows.flatMap(({row, times}) => Array.from({length: times}, (): OracleRow => row)))

const keyTypes = {'the "key"': 'string', number: 'int64'} as const
const featureTypes = {count: 'int64', rate: 'float64', n_ü: 'string', list: 'list<int64>'} as const
const features = columnsOf(featureTypes)

let sources = 0

async function writeView(fixture: OfflineStoreFixture, rows: readonly OracleRow[]) {
  const name = `source_${(sources += 1)}`
  const source = await fixture.writeSource(
    name,
    columnsOf({...keyTypes, happened: 'timestamp', known: 'timestamp', ...featureTypes}),
    rows.map(({key, event, created, values}) => [...key, event, created, ...values]),
    'happened',
    'known',
  )
  return featureRows(source, keyTypes, featureTypes)
}

export function describeRandomFrames({contract, runs}: OfflineSuite): void {
  contract('is what reading the words literally gives, row by row and in order', async (fixture) => {
    await fc.assert(
      fc.asyncProperty(
        anyRows,
        anyRows,
        fc.array(fc.record({time: anyTime, key: anyKeyOrNull, other: anyKeyOrNull}), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.option(anyTime, {nil: undefined}),
        fc.boolean(),
        // The engine may plan a join of few rows otherwise than one of many.
        fc.constantFrom(1, 1, 20),
        async (first, second, asked, asKnownAt, knowledgeTime, repeat) => {
          const [views, others] = [await writeView(fixture, first), await writeView(fixture, second)]
          const entities = Array.from({length: repeat}, () => asked).flat()
          const named = (prefix: string) =>
            features.map(({name}) => ({feature: name, as: `${prefix}_${name}`}))
          const joins = [
            viewJoin(views, {alias: 'a', ttl, outputs: named('a')}),
            viewJoin(others, {alias: 'b', knowledgeTime, outputs: named('b')}),
            // The same view again, by other columns and with some of its features only.
            viewJoin(views, {
              alias: 'c',
              entityColumns: ['other', 'other number'],
              outputs: named('c').slice(1, 2),
            }),
          ]
          const query = frameQuery(
            entityValues(
              {
                label: 'int64',
                ...keyTypes,
                other: 'string',
                'other number': 'int64',
                event_timestamp: 'timestamp',
              },
              entities.map(({time, key, other}, index) => [BigInt(index), ...key, ...other, time]),
            ),
            joins,
            asKnownAt === undefined ? {} : {asKnownAt},
          )
          const frame = await readFrame(fixture.store, query)
          const expected = pointInTime(
            entities.map(({time, key, other}) => ({time, keys: [key, key, other]})),
            [
              {features, rows: first, ttl, knowledgeTime: false},
              {features, rows: second, knowledgeTime},
              {features, rows: first, knowledgeTime: false},
            ],
            {asKnownAt},
          )
          expect(frame.rows).toEqual(
            entities.map(({time, key, other}, index) => {
              const [a, b, c] = expected[index] as readonly [Row, Row, Row]
              return [BigInt(index), ...key, ...other, time, ...a, ...b, c[1] ?? null]
            }),
          )
          expect((await readFrame(fixture.store, query)).rows).toEqual(frame.rows)
        },
      ),
      {numRuns: runs},
    )
  })

  contract('has the newest row of each key among the rows that a load selects', async (fixture) => {
    const anyInterval = fc.record({start: fc.option(anyTime), end: anyTime})
    await fc.assert(
      fc.asyncProperty(
        anyRows,
        fc.array(anyInterval, {maxLength: 2}),
        fc.option(fc.record({after: anyTime, orEqual: fc.boolean(), within: anyInterval}), {nil: undefined}),
        fc.boolean(),
        async (rows, intervals, arrived, everyKey) => {
          const view = await writeView(fixture, rows)
          const selection = {intervals, everyKey, ...(arrived === undefined ? {} : {arrived})}
          const {rows: newest, misfits} = await readNewest(fixture.store, latestQuery(view, selection))
          const expected = latestPerEntity(rows, features, selection)
          expect(byKey(newest)).toEqual(byKey(expected))
          expect(misfits).toEqual([])
          const summary = await fixture.store.summarizeSource({
            kind: 'source_summary',
            rows: view,
            intervals,
            ...(arrived === undefined ? {} : {arrived}),
          })
          expect(summary.newestEventTimestamp).toEqual(largest(rows.map(({event}) => event)))
          expect(summary.newestCreatedTimestamp).toEqual(largest(rows.map(({created}) => created)))
        },
      ),
      {numRuns: runs},
    )
  })

  contract(
    'has a sample of the keys that is the same each time, and another for another seed',
    async (fixture) => {
      const rows = Array.from({length: 400}, (_, index): OracleRow => ({
        key: ['a', BigInt(index % 200)],
        event: noon + BigInt(index),
        created: null,
        values: [BigInt(index), null, null, null],
      }))
      const view = await writeView(fixture, rows)
      const all = byKey((await readNewest(fixture.store, latestQuery(view))).rows)
      const sampled = async (size: number, seed: bigint) => {
        const query = latestQuery(view, {sample: {size, seed}})
        const found = (await readNewest(fixture.store, query)).rows
        for (const row of found) expect(all.get(nameOf(row))).toEqual(row)
        return new Set(found.map(nameOf))
      }
      const some = await sampled(20, 1n)
      expect(some.size).toBe(20)
      expect(await sampled(20, 1n)).toEqual(some)
      expect(await sampled(20, 2n)).not.toEqual(some)
      expect([...(await sampled(60, 1n))]).toEqual(expect.arrayContaining([...some]))
      expect(await sampled(1000, 1n)).toEqual(new Set(all.keys()))
    },
  )
}

function byKey(rows: readonly OracleRow[]): ReadonlyMap<string, OracleRow> {
  return new Map(rows.map((row) => [nameOf(row), row]))
}

function nameOf({key}: OracleRow): string {
  return key.map(String).join('\u0000')
}

function largest(times: readonly (Value | null)[]): bigint | null {
  return times.reduce<bigint | null>(
    (most, time) => (typeof time === 'bigint' && (most === null || time > most) ? time : most),
    null,
  )
}
