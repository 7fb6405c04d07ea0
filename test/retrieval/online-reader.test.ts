import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {parseInstant} from '../../src/definitions/instant.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import {prepareOnlineFeatures, type OnlineReader} from '../../src/retrieval/online-reader.js'
import type {FeatureSelection} from '../../src/retrieval/resolve-features.js'
import {onlineRows, type TestRow} from '../conformance/online-store.js'
import {rides} from './rides.js'

const day = 86_400_000_000n
const now = parseInstant('2024-05-02T12:00:00Z')!
const expireAfter = 3_600_000_000n
const views = Object.fromEntries(
  rides.featureViews.filter(({online}) => online).map(({name}) => [name, {table: `${name}_1`}]),
)

const driverStats = {
  present: 1n,
  nullFeature: 2n,
  atMaxAge: 3n,
  pastMaxAge: 4n,
  atExpiry: 5n,
  pastExpiry: 6n,
  unknown: 7n,
  future: 8n,
} as const

let folder: string
let store: OnlineStore

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fs-retrieval-'))
  store = await openOnlineStore(
    {type: 'embedded', settings: {path: 'online'}},
    {project: 'rides', repoDirectory: folder, access: 'write'},
  )
  await writeView('driver_stats', [
    statsRow(driverStats.present, now - 1n, [0.5, 2n ** 53n + 1n]),
    statsRow(driverStats.nullFeature, now - 1n, [null, 0n]),
    statsRow(driverStats.atMaxAge, now - day, [0.25, 3n]),
    statsRow(driverStats.pastMaxAge, now - day - 1n, [0.25, 4n]),
    statsRow(driverStats.atExpiry, now - day - expireAfter, [null, 5n]),
    statsRow(driverStats.pastExpiry, now - day - expireAfter - 1n, [0.25, 6n]),
    statsRow(driverStats.future, now + 5n, [Number.POSITIVE_INFINITY, 8n]),
  ])
  await writeView('driver_profile', [
    {
      key: [1n],
      event: parseInstant('2020-01-01T00:00:00.000001Z')!,
      created: null,
      values: [7, 1n, Uint8Array.of(0, 255), [1.5, null, Number.NaN], '3.10'],
    },
  ])
  await writeView('weather', [
    {key: ['a', 23], event: 1n, created: null, values: [1, 10]},
    {key: ['a2', 3], event: 2n, created: null, values: [2, 20]},
    {key: ['a', 3], event: 3n, created: null, values: [3, 30]},
  ])
  await writeView('badges', [{key: ['1'], event: 1n, created: null, values: ['red']}])
  await writeView('shifts', [
    {
      key: ['2024-05-01', true, parseInstant('2024-05-01T20:00:00Z')!, Uint8Array.of(0, 255)],
      event: 1n,
      created: null,
      values: [8],
    },
  ])
})

afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await rm(folder, {recursive: true, force: true})
})

async function writeView(name: string, rows: readonly TestRow[]): Promise<void> {
  const view = rides.featureViews.find((one) => one.name === name)!
  const table = onlineTableOf(view, rides, `${name}_1`)
  await store.prepare([table])
  await store.write(table, onlineRows(table, rows))
}

function statsRow(id: bigint, event: bigint, values: TestRow['values']): TestRow {
  return {key: [id], event, created: null, values}
}

function prepare(selection: FeatureSelection): OnlineReader {
  return prepareOnlineFeatures({definitions: rides, views, selection, expireAfter})
}

async function read(selection: FeatureSelection, entities: readonly object[]) {
  return prepare(selection).read<Readonly<Record<string, unknown>>>(store, entities, now)
}

describe('the status of a value', () => {
  const names = Object.keys(driverStats) as (keyof typeof driverStats)[]

  test('follows its age to the microsecond, both edges still inside', async () => {
    const answer = await read(
      {features: ['driver_stats:conv_rate']},
      names.map((name) => ({driver_id: driverStats[name]})),
    )
    const [, feature] = answer.toResponse().results
    expect(
      names.map((name, index) => [
        name,
        feature!.statuses[index],
        feature!.values[index],
        feature!.event_timestamps[index],
      ]),
    ).toEqual([
      ['present', 'PRESENT', 0.5, '2024-05-02T11:59:59.999999Z'],
      ['nullFeature', 'NULL_VALUE', null, '2024-05-02T11:59:59.999999Z'],
      ['atMaxAge', 'PRESENT', 0.25, '2024-05-01T12:00:00Z'],
      ['pastMaxAge', 'OUTSIDE_MAX_AGE', null, '2024-05-01T11:59:59.999999Z'],
      ['atExpiry', 'OUTSIDE_MAX_AGE', null, '2024-05-01T11:00:00Z'],
      ['pastExpiry', 'NOT_FOUND', null, null],
      ['unknown', 'NOT_FOUND', null, null],
      ['future', 'PRESENT', 'Infinity', '2024-05-02T12:00:00.000005Z'],
    ])
  })

  test('is the same in rows, vectors and lists of statuses', async () => {
    const answer = await read(
      {features: ['driver_stats:trips', 'driver_stats:conv_rate']},
      names.map((name) => ({driver_id: driverStats[name]})),
    )
    const response = answer.toResponse()
    expect(answer.toRows().map((row) => [row['trips'], row['conv_rate']])).toEqual(
      names.map((_, entity) => answer.vector(entity)),
    )
    expect(names.map((_, entity) => answer.statuses(entity))).toEqual(
      names.map((_, entity) => response.results.slice(1).map(({statuses}) => statuses[entity])),
    )
    expect(answer.vector(1)).toEqual([0n, null])
    expect(answer.vector(3)).toEqual([null, null])
    expect(answer.rowCount).toBe(names.length)
    expect(() => answer.vector(names.length)).toThrow(RangeError)
    expect(() => answer.statuses(-1)).toThrow(RangeError)
  })

  test('without a ttl never ages', async () => {
    const answer = await read({features: ['driver_profile:rating']}, [{driver_id: 1}])
    expect(answer.statuses(0)).toEqual(['PRESENT'])
  })
})

describe('an answer', () => {
  test("has Feast's form: keys first, then features in the order asked for, values as JSON has them", async () => {
    const answer = await read({features: ['driver_profile', 'driver_stats:trips'], fullFeatureNames: true}, [
      {driver_id: 1},
      {driver_id: 99},
    ])
    const at = '2020-01-01T00:00:00.000001Z'
    const column = (value: unknown) => ({
      values: [value, null],
      statuses: ['PRESENT', 'NOT_FOUND'],
      event_timestamps: [at, null],
    })
    expect(answer.toResponse()).toEqual({
      metadata: {
        feature_names: [
          'driver_id',
          'driver_profile__Trips',
          'driver_profile__hired_at',
          'driver_profile__photo',
          'driver_profile__scores',
          'driver_profile__rating',
          'driver_stats__trips',
        ],
      },
      results: [
        {values: [1n, 99n], statuses: ['PRESENT', 'PRESENT'], event_timestamps: [null, null]},
        column(7),
        column('1970-01-01T00:00:00.000001Z'),
        column('AP8='),
        column([1.5, null, 'NaN']),
        column('3.10'),
        {...column(2n ** 53n + 1n), event_timestamps: ['2024-05-02T11:59:59.999999Z', null]},
      ],
    })
  })

  test('has rows of JavaScript values by type', async () => {
    const answer = await read({features: ['driver_profile']}, [{driver_id: '1'}])
    expect(answer.toRows()).toEqual([
      {
        driver_id: 1n,
        Trips: 7,
        hired_at: 1n,
        photo: Uint8Array.of(0, 255),
        scores: [1.5, null, Number.NaN],
        rating: '3.10',
      },
    ])
    expect(answer.featureNames).toEqual(['Trips', 'hired_at', 'photo', 'scores', 'rating'])
    expect(answer.joinKeyNames).toEqual(['driver_id'])
  })

  test('follows the order of the request, across views and with repeats', async () => {
    const answer = await read({features: ['driver_stats:trips', 'badges:colour', 'driver_stats:conv_rate']}, [
      {driver_id: '3'},
      {driver_id: '1'},
      {driver_id: '3'},
    ])
    expect(answer.featureNames).toEqual(['trips', 'colour', 'conv_rate'])
    expect([0, 1, 2].map((entity) => answer.vector(entity))).toEqual([
      [3n, null, 0.25],
      [2n ** 53n + 1n, 'red', 0.5],
      [3n, null, 0.25],
    ])
  })

  test('shows a column that two views read as two types once', async () => {
    const answer = await read({features: ['driver_stats:trips', 'badges:colour']}, [{driver_id: '1'}])
    expect(answer.toRows()).toEqual([{driver_id: 1n, trips: 2n ** 53n + 1n, colour: 'red'}])
    expect(answer.toResponse().metadata.feature_names).toEqual(['driver_id', 'trips', 'colour'])
  })

  test('tells composite keys apart that collide when joined as text', async () => {
    const answer = await read({features: ['weather:heat']}, [
      {country: 'a', zone: 23},
      {country: 'a2', zone: 3},
      {country: 'a', zone: 3},
      {zone: 23n, country: 'a'},
    ])
    expect(answer.toRows().map((row) => row['heat'])).toEqual([1, 2, 3, 1])
  })

  test('reads a view twice under two names, each with its own keys', async () => {
    const answer = await read({featureService: 'trip', fullFeatureNames: true}, [
      {driver_id: 1, country: 'a', from_zone: 23, to_zone: 3},
      {driver_id: 1, country: 'a', from_zone: 3, to_zone: 4},
    ])
    expect(answer.toRows()).toEqual([
      {
        driver_id: 1n,
        country: 'a',
        from_zone: 23,
        to_zone: 3,
        driver_stats__trip_count: 2n ** 53n + 1n,
        driver_stats__conv_rate: 0.5,
        origin__heat_here: 1,
        target__heat: 3,
      },
      {
        driver_id: 1n,
        country: 'a',
        from_zone: 3,
        to_zone: 4,
        driver_stats__trip_count: 2n ** 53n + 1n,
        driver_stats__conv_rate: 0.5,
        origin__heat_here: 3,
        target__heat: null,
      },
    ])
  })

  test('reads keys of every type from text', async () => {
    const answer = await read({features: ['shifts:hours']}, [
      {day: '2024-05-01', night: 'true', began: '2024-05-01T20:00:00Z', token: 'AP8='},
    ])
    expect(answer.vector(0)).toEqual([8])
    expect(
      answer
        .toResponse()
        .results.slice(0, 4)
        .map(({values}) => values[0]),
    ).toEqual(['2024-05-01', true, '2024-05-01T20:00:00Z', 'AP8='])
  })

  test('is empty for no entities', async () => {
    const answer = await read({features: ['driver_stats']}, [])
    expect(answer.toRows()).toEqual([])
    expect(answer.toResponse().results).toEqual(
      Array.from({length: 3}, () => ({values: [], statuses: [], event_timestamps: []})),
    )
  })

  test('ignores keys that other views need', async () => {
    const answer = await read({features: ['driver_stats:trips']}, [
      {driver_id: 3n, country: null, to_zone: 1},
    ])
    expect(answer.toRows()).toEqual([{driver_id: 3n, trips: 3n}])
  })

  test('does not depend on another read of the same reader', async () => {
    const reader = prepare({features: ['driver_stats:trips']})
    const [first, second] = await Promise.all([
      reader.read(store, [{driver_id: 3n}], now),
      reader.read(store, [{driver_id: 1n}, {driver_id: 3n}], now + 1n),
    ])
    expect(first.vector(0)).toEqual([3n])
    expect([second.vector(0), second.vector(1)]).toEqual([[2n ** 53n + 1n], [null]])
  })
})

describe('a request is refused', () => {
  test.each<[string, unknown, string, RegExp, RegExp]>([
    [
      'that is no list',
      {driver_id: 1n},
      'FS_ENTITY_ROWS_INVALID',
      /this is an object/,
      /\{driver_id: 1001\}/,
    ],
    [
      'with an entity that is no record',
      [{driver_id: 1n}, 7],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[1\] is 7/,
      /./,
    ],
    [
      'without a key',
      [{driver_id: 1n}, {}],
      'FS_ENTITY_KEY_INVALID',
      /entities\[1\] has no `driver_id`\. View `driver_stats` expects an int64\./,
      /Give each entity a value for `driver_id`/,
    ],
    [
      'with a null key',
      [{driver_id: null}],
      'FS_ENTITY_KEY_INVALID',
      /entities\[0\]: join key `driver_id` is null/,
      /integer/,
    ],
    [
      'with a key of another type',
      [{driver_id: 1n}, {driver_id: 'abc'}],
      'FS_ENTITY_KEY_INVALID',
      /entities\[1\]: join key `driver_id` is "abc"\. View `driver_stats` expects an int64\./,
      /beyond 2\^53 as a bigint or as text/,
    ],
    [
      'with a number that may have been rounded',
      [{driver_id: 2 ** 53}],
      'FS_ENTITY_KEY_INVALID',
      /9007199254740992/,
      /bigint/,
    ],
    [
      'with a mistyped key',
      [{driver_id: 1n, driver: 2n}],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[0\] has `driver`, which is no join key\. .*Needed here: driver_id\./,
      /join keys/,
    ],
  ])('%s', async (_, entities, code, message, hint) => {
    await expect(read({features: ['driver_stats']}, entities as object[])).rejects.toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    )
  })

  test('for a mistyped key names the nearest', async () => {
    await expect(read({features: ['driver_stats']}, [{driver_idd: 1n}])).rejects.toThrow(
      'Did you mean `driver_id`?',
    )
  })

  test('for a view that is not online, or has no table yet', () => {
    expect(() => prepare({features: ['history']})).toThrow(
      expect.objectContaining({
        code: 'FS_NOT_SUPPORTED',
        message: expect.stringContaining('`online: false`'),
      }),
    )
    const selection = {features: ['weather']}
    expect(() => prepareOnlineFeatures({definitions: rides, views: {}, selection, expireAfter})).toThrow(
      expect.objectContaining({code: 'FS_NOT_APPLIED', message: expect.stringContaining('`weather`')}),
    )
  })
})
