import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, relative} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {valueAt, type ColumnBatch} from '../../src/definitions/column-batch.js'
import type {Value} from '../../src/definitions/value-type.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore, RetrievalJob} from '../../src/offline/offline-store.js'
import {
  historicalFeatures,
  pointInTimeQuery,
  type HistoricalFeaturesOptions,
} from '../../src/retrieval/historical-features.js'
import {rides} from './rides.js'

const noon = '2024-05-02T12:00:00'

let folder: string
let store: OfflineStore

/** The frame as rows by column name. */
async function frame(
  options: HistoricalFeaturesOptions,
): Promise<readonly Readonly<Record<string, Value | null>>[]> {
  const job = await historicalFeatures({...options, definitions: rides, offlineStore: store})
  try {
    return await rowsOf(job)
  } finally {
    await job[Symbol.asyncDispose]()
  }
}

async function rowsOf(job: RetrievalJob): Promise<Record<string, Value | null>[]> {
  const rows: Record<string, Value | null>[] = []
  for await (const batch of job.batches()) {
    for (let row = 0; row < batch.rowCount; row += 1) rows.push(rowAt(batch, row))
  }
  return rows
}

function rowAt({names, columns}: ColumnBatch, row: number): Record<string, Value | null> {
  return Object.fromEntries(names.map((name, index) => [name, valueAt(columns[index]!, row)]))
}

describe('a training frame', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fs-retrieval-'))
    await writeFile(
      join(folder, 'driver.csv'),
      `driver_id,event_timestamp,created,conv_rate,trips
1,2024-05-01T12:00:00Z,2024-05-01T12:00:00Z,0.25,9007199254740993
1,2024-05-02T12:00:00Z,2024-05-03T00:00:00Z,0.5,2
2,2024-05-01T11:59:59.999999Z,2024-05-01T12:00:00Z,0.75,3
`,
    )
    await writeFile(
      join(folder, 'place.csv'),
      `country,zone,event_timestamp,heat,wind
a,23,2024-05-01T00:00:00Z,1,10
a2,3,2024-05-01T00:00:00Z,2,20
a,3,2024-05-02T00:00:00Z,3,30
`,
    )
    await writeFile(
      join(folder, 'trips.csv'),
      `label,driver_id,event_timestamp
x,1,2024-05-02T12:00:00Z
y,2,2024-05-02T12:00:00Z
z,1,2024-05-02T11:59:59.999999Z
`,
    )
    store = await openOfflineStore({type: 'duckdb', settings: {}}, {repoDirectory: folder})
  })

  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await rm(folder, {recursive: true, force: true})
  })

  test('from records keeps rows, order and columns, and takes values exactly at the edge of the ttl', async () => {
    const rows = await frame({
      features: ['driver_stats:trips', 'driver_stats:conv_rate'],
      entities: [
        {label: true, driver_id: 2, event_timestamp: `${noon}Z`},
        {label: false, driver_id: 1n, event_timestamp: `${noon}Z`},
        {label: false, driver_id: '1', event_timestamp: '2024-05-02T11:59:59.999999Z'},
        {label: null, driver_id: null, event_timestamp: `${noon}Z`},
        {label: false, driver_id: 1n, event_timestamp: `${noon}Z`},
      ],
    })
    expect(rows.map(({label, driver_id, trips, conv_rate}) => [label, driver_id, trips, conv_rate])).toEqual([
      [true, 2n, null, null],
      [false, 1n, 2n, 0.5],
      [false, 1n, 9_007_199_254_740_993n, 0.25],
      [null, null, null, null],
      [false, 1n, 2n, 0.5],
    ])
  })

  test('from a file reads it relative to the current folder', async () => {
    const rows = await frame({
      features: ['driver_stats:conv_rate'],
      entities: relative(process.cwd(), join(folder, 'trips.csv')),
    })
    expect(rows.map(({label, conv_rate}) => [label, conv_rate])).toEqual([
      ['x', 0.5],
      ['y', null],
      ['z', 0.25],
    ])
  })

  test('from SQL names data sources as tables', async () => {
    const rows = await frame({
      features: ['weather:wind'],
      entitySql: `select country, zone, timestamp '2024-05-03' as event_timestamp from place_source order by heat desc`,
    })
    expect(rows.map(({country, zone, wind}) => [country, zone, wind])).toEqual([
      ['a', 3n, 30],
      ['a2', 3n, 20],
      ['a', 23n, 10],
    ])
  })

  test('of an interval has every feature row after its start, up to and including its end', async () => {
    const rows = await frame({
      features: ['driver_stats:trips'],
      start: BigInt(Date.UTC(2024, 4, 1, 12)) * 1000n - 1n,
      end: BigInt(Date.UTC(2024, 4, 2, 12)) * 1000n,
    })
    expect(rows.map(({driver_id, trips}) => [driver_id, trips])).toEqual([
      [1n, 9_007_199_254_740_993n],
      [1n, 2n],
    ])
  })

  test('as known at a time leaves out what came later', async () => {
    const options = {
      features: ['driver_stats:conv_rate'],
      entities: [{driver_id: 1n, event_timestamp: `${noon}Z`}],
    }
    const asKnownAt = BigInt(Date.UTC(2024, 4, 2, 23)) * 1000n
    expect((await frame(options))[0]!['conv_rate']).toBe(0.5)
    expect((await frame({...options, asKnownAt}))[0]!['conv_rate']).toBe(0.25)
  })

  test('uses a view twice under two names, each by its own keys', async () => {
    const rows = await frame({
      featureService: 'trip',
      fullFeatureNames: true,
      timestampColumn: 'at',
      entities: [{driver_id: 1n, country: 'a', from_zone: 23, to_zone: 3, at: '2024-05-03'}],
    })
    expect(rows).toEqual([
      {
        driver_id: 1n,
        country: 'a',
        from_zone: 23,
        to_zone: 3,
        at: BigInt(Date.UTC(2024, 4, 3)) * 1000n,
        driver_stats__trip_count: 2n,
        driver_stats__conv_rate: 0.5,
        origin__heat_here: 1,
        target__heat: 3,
      },
    ])
  })
})

describe('the question to the offline store', () => {
  const entities = [{driver_id: 1n, event_timestamp: 0n}]

  test('has one join for each use of a view, with the ttl and keys of the view', async () => {
    const {joins} = await pointInTimeQuery({definitions: rides, featureService: 'trip', start: 0n, end: 1n})
    expect(
      joins.map(({alias, rows, entityColumns, ttl, knowledgeTime, outputs}) => ({
        alias,
        view: rows.view,
        entityColumns,
        ttl,
        knowledgeTime,
        outputs: outputs.map(({feature, as}) => `${feature} as ${as}`),
      })),
    ).toEqual([
      {
        alias: 'driver_stats',
        view: 'driver_stats',
        entityColumns: ['driver_id'],
        ttl: 86_400_000_000n,
        knowledgeTime: false,
        outputs: ['trips as trip_count', 'conv_rate as conv_rate'],
      },
      {
        alias: 'origin',
        view: 'weather',
        entityColumns: ['country', 'from_zone'],
        ttl: undefined,
        knowledgeTime: false,
        outputs: ['heat as heat_here'],
      },
      {
        alias: 'target',
        view: 'weather',
        entityColumns: ['country', 'to_zone'],
        ttl: undefined,
        knowledgeTime: false,
        outputs: ['heat as heat'],
      },
    ])
  })

  test('may be about a view that is not online, by what was known', async () => {
    const {joins} = await pointInTimeQuery({definitions: rides, features: ['history'], entities})
    expect(joins.map(({knowledgeTime}) => knowledgeTime)).toEqual([true])
  })

  test('gives each use of a view a relation of its own', async () => {
    const definitions = {
      ...rides,
      featureServices: [
        {
          kind: 'feature_service' as const,
          name: 'halves',
          features: [
            {view: 'weather', features: [{name: 'heat'}]},
            {view: 'weather', features: [{name: 'wind'}], joinKeyMap: {zone: 'other_zone'}},
          ],
        },
      ],
    }
    const {joins} = await pointInTimeQuery({definitions, featureService: 'halves', start: 0n, end: 1n})
    expect(joins.map(({alias}) => alias)).toEqual(['weather', 'weather_2'])
  })

  test.each<[string, HistoricalFeaturesOptions, string, RegExp, RegExp]>([
    [
      'without entity rows',
      {features: ['weather']},
      'FS_ARGUMENT_INVALID',
      /There are no entity rows\. Expected one of: entities, SQL, or a start and an end\./,
      /--entity-sql/,
    ],
    [
      'with entity rows twice',
      {features: ['weather'], entities: 'a.csv', entitySql: 'select 1'},
      'FS_ARGUMENT_INVALID',
      /more than one way/,
      /--entities FILE/,
    ],
    [
      'without a start',
      {features: ['weather'], end: 1n},
      'FS_ARGUMENT_INVALID',
      /without its start/,
      /--start/,
    ],
    ['without an end', {features: ['weather'], start: 1n}, 'FS_ARGUMENT_INVALID', /without its end/, /--end/],
    [
      'with an interval that is none',
      {features: ['weather'], start: 1_000_000n, end: 1_000_000n},
      'FS_ARGUMENT_INVALID',
      /from 1970-01-01T00:00:01Z to 1970-01-01T00:00:01Z holds no time/,
      /later than the start/,
    ],
    [
      'with an interval of views whose keys can share no column',
      {features: ['driver_stats', 'badges'], start: 0n, end: 1n},
      'FS_REFERENCE_AMBIGUOUS',
      /`driver_id` is int64 in view `driver_stats` and string in view `badges`/,
      /one by one/,
    ],
    [
      'as known at a time of a source that does not tell',
      {features: ['driver_stats', 'weather'], entities, asKnownAt: 1n},
      'FS_NOT_SUPPORTED',
      /View `weather` can't be read as known at a time: its source `place_source` has no created timestamp/,
      /created_timestamp_column in data_source\/place_source/,
    ],
    [
      'with a feature named as the event time',
      {features: ['driver_stats:trips'], entities, timestampColumn: 'trips'},
      'FS_REFERENCE_AMBIGUOUS',
      /named `trips`: the column of the event time and `driver_stats:trips`/,
      /--timestamp-column/,
    ],
    [
      'with a key as the event time',
      {features: ['driver_stats:trips'], entities, timestampColumn: 'driver_id'},
      'FS_REFERENCE_AMBIGUOUS',
      /also a join key of view `driver_stats`/,
      /--timestamp-column/,
    ],
    [
      'with a file that is not there',
      {features: ['driver_stats:trips'], entities: 'no/such/file.csv'},
      'FS_ENTITY_ROWS_INVALID',
      /no\/such\/file\.csv can't be read/,
      /relative to the current folder/,
    ],
    [
      'of a feature that is unknown, before anything is read',
      {features: ['driver_stats:trip'], entities: 'no/such/file.csv'},
      'FS_REFERENCE_UNKNOWN',
      /Did you mean `trips`/,
      /fs apply/,
    ],
  ])('is refused %s', async (_, options, code, message, hint) => {
    await expect(pointInTimeQuery({...options, definitions: rides})).rejects.toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    )
  })
})
