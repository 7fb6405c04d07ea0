/** What is read of a source, and how it is searched, depends on how many entity rows ask, of which keys, and when: what they get doesn't. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'

/** Each with two cars. */
const drivers = 10_000
const rowsOfView = 100_000
/** `settledBy`: a feature that nobody asks for, by which rows of one time are settled before the one that is asked for. */
const views = [
  {name: 'kept', ttl: undefined, keys: ['driver_id', 'car'], settledBy: false},
  {name: 'expiring', ttl: '3h', keys: ['driver_id', 'car'], settledBy: false},
  {name: 'settled', ttl: '3h', keys: ['driver_id', 'car'], settledBy: true},
  {name: 'swapped', ttl: undefined, keys: ['car', 'driver_id'], settledBy: true},
  {name: 'whole', ttl: '3h', keys: ['driver_id'], settledBy: false},
] as const

describe.each(['TIMESTAMP', 'TIMESTAMPTZ'])('of times as %s', (timeType) => {
  let folder = ''
  let connection: DuckDBConnection
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fs-many-'))
    connection = await (await DuckDBInstance.create()).connect()
    await connection.run("SET TimeZone = 'UTC'")
    // Whole minutes of two days, so that many rows lie just at a bound.
    const time = (seed: number): string =>
      `(TIMESTAMP '2026-01-01' + to_minutes((hash(range + ${seed}) % 2880)::INT))::${timeType}`
    // In every fiftieth row.
    const sometimesNull = (value: string, seed: number): string =>
      `CASE WHEN hash(range + ${seed}) % 50 > 0 THEN ${value} END`
    const keys = (seed: number): string =>
      [
        sometimesNull(`(hash(range + ${seed}) % ${drivers})::BIGINT`, seed + 1) + ' AS driver_id',
        sometimesNull(`(hash(range + ${seed + 2}) % 2)::BIGINT`, seed + 3) + ' AS car',
      ].join(', ')
    for (const [index, {name}] of views.entries()) {
      await connection.run(
        `COPY (SELECT ${keys(100 + 10 * index)}, ${sometimesNull(time(index), 200 + index)} AS event_timestamp, range AS "${name}_value", hash(range + ${index}) % 3 AS "${name}_rest" FROM range(${rowsOfView}))
       TO '${join(folder, `${name}.parquet`)}' (FORMAT parquet)`,
      )
    }
    await connection.run(
      `CREATE TABLE entities AS SELECT range AS row_id, ${keys(7)},
       ${time(5)} AS event_timestamp FROM range(100001)`,
    )
    writeFileSync(join(folder, 'feature_store.yaml'), 'project: rides\n')
    writeFileSync(
      join(folder, 'features.yaml'),
      `${[['driver_id', 'car'], ['car', 'driver_id'], ['driver_id']]
        .map(
          (keys) => `kind: entity
name: ${keys.join('_of_')}
join_keys: [${keys.map((key) => `{name: ${key}, value_type: int64}`).join(', ')}]
`,
        )
        .join('---\n')}${views
        .map(
          ({name, ttl, keys, settledBy}) => `---
kind: data_source
name: ${name}
type: file
path: ${name}.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: view_${name}
entities: [${keys.join('_of_')}]
source: ${name}
online: false
${ttl === undefined ? '' : `ttl: ${ttl}\n`}schema: [${settledBy ? `{name: ${name}_rest, dtype: int64}, ` : ''}{name: ${name}_value, dtype: int64}]
`,
        )
        .join('')}`,
    )
  })
  afterAll(() => {
    connection.closeSync()
    rmSync(folder, {recursive: true, force: true})
  })

  /** The textbook's answer: every row of the key up to the time, the newest first, then the largest value. */
  function expectedFrame(asked: string): string {
    const found = views.map(({name, ttl, keys, settledBy}) => {
      const rest = settledBy ? `rest: v."${name}_rest", ` : ''
      const alive = ttl === undefined ? '' : `AND v.event_timestamp >= e.event_timestamp - INTERVAL 3 HOUR`
      return `(SELECT e.row_id, max({t: v.event_timestamp, ${rest}value: v."${name}_value"}).value AS "${name}_value"
      FROM ${asked} AS e JOIN '${join(folder, `${name}.parquet`)}' AS v
        ON ${keys.map((key) => `v.${key} = e.${key}`).join(' AND ')} AND v.event_timestamp <= e.event_timestamp ${alive}
      GROUP BY e.row_id) AS "${name}"`
    })
    return `SELECT e.*, ${views.map(({name}) => `"${name}_value"`).join(', ')} FROM ${asked} AS e
    ${found.map((one) => `LEFT JOIN ${one} USING (row_id)`).join('\n')}`
  }

  test.each([
    ['more than a search for keys is for', 'true'],
    ['few of them', 'row_id < 500'],
    ['one of each driver', 'row_id IN (SELECT min(row_id) FROM entities GROUP BY driver_id, car)'],
    ['several of each of few drivers', 'driver_id < 50 OR driver_id IS NULL AND row_id < 10_000'],
    ['those of some hours', `event_timestamp BETWEEN '2026-01-01 20:00:00' AND '2026-01-02 02:00:00'`],
    ['one', 'row_id = 77'],
    ['none', 'false'],
  ])('entity rows, %s, get what the textbook says', async (_, which) => {
    const asked = `(SELECT * FROM entities WHERE ${which})`
    const [entities, frame] = ['entities.parquet', 'frame.parquet'].map((name) => join(folder, name)) as [
      string,
      string,
    ]
    await connection.run(`COPY (FROM ${asked} ORDER BY row_id) TO '${entities}' (FORMAT parquet)`)
    await using store = await FeatureStore.open(folder)
    await store.apply()
    await using job = await store.getHistoricalFeatures({
      entities,
      features: views.map(({name}) => `view_${name}:${name}_value`),
    })
    const {rows} = await job.writeFile(frame, 'parquet')
    const first = async (sql: string): Promise<unknown> => (await connection.runAndReadAll(sql)).getRows()[0]
    expect([BigInt(rows)]).toEqual(await first(`SELECT count(*) FROM ${asked}`))
    const expected = 'expected'
    await connection.run(`CREATE OR REPLACE TABLE ${expected} AS ${expectedFrame(asked)}`)
    const filled = views.map(({name}) => `count("${name}_value")`).join(', ')
    expect(await first(`SELECT ${filled} FROM '${frame}'`)).toEqual(
      await first(`SELECT ${filled} FROM ${expected}`),
    )
    expect(
      await first(
        `SELECT count(*) FROM ((FROM '${frame}' EXCEPT ALL FROM ${expected}) UNION ALL (FROM ${expected} EXCEPT ALL FROM '${frame}'))`,
      ),
    ).toEqual([0n])
  })
})
