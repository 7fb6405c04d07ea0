import {randomBytes} from 'node:crypto'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {FeatureStore} from '../src/feature-store.js'

const second = 1_000_000n

describe('a feature store, in process', () => {
  let folder = ''
  let time = 0n
  const open: FeatureStore[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fs-sdk-'))
    time = BigInt(Date.UTC(2026, 0, 10)) * 1000n
    writeFileSync(join(folder, 'feature_store.yaml'), 'project: rides\n')
    writeFileSync(
      join(folder, 'stats.csv'),
      'driver_id,event_timestamp,trips,rating\n1,2026-01-01T00:00:00Z,10,4.5\n1,2026-01-02T00:00:00Z,11,4.75\n2,2026-01-01T00:00:00Z,20,\n',
    )
    define('')
  })
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close()
    rmSync(folder, {recursive: true, force: true})
  })

  /** The view, with more lines of YAML for it. */
  function define(more: string): void {
    writeFileSync(
      join(folder, 'features.yaml'),
      `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: stats_file
type: file
path: stats.csv
format: csv
timestamp_field: event_timestamp
---
kind: feature_view
name: stats
entities: [driver]
source: stats_file
schema: [{name: trips, dtype: int64}, {name: rating, dtype: float64}]
${more}`,
    )
  }

  async function openStore(): Promise<FeatureStore> {
    const store = await FeatureStore.open(folder, {environment: {clock: () => time}})
    open.push(store)
    return store
  }

  async function loaded(): Promise<FeatureStore> {
    const store = await openStore()
    await store.apply()
    expect((await store.materializeIncremental()).status).toBe('ok')
    return store
  }

  async function tripsOf(store: FeatureStore, ...features: string[]): Promise<readonly unknown[]> {
    const answer = await store.getOnlineFeatures({entities: [{driver_id: 1}, {driver_id: 3}], features})
    return answer.toRows()
  }

  test('reads what it loaded, after it read when there was nothing', async () => {
    const store = await openStore()
    await store.apply()
    expect(await tripsOf(store, 'stats:trips')).toEqual([
      {driver_id: 1n, trips: null},
      {driver_id: 3n, trips: null},
    ])
    await store.materializeIncremental()
    expect(await tripsOf(store, 'stats:trips', 'stats:rating')).toEqual([
      {driver_id: 1n, trips: 11n, rating: 4.75},
      {driver_id: 3n, trips: null, rating: null},
    ])
  })

  test('a list of features that the caller changes is another selection', async () => {
    const store = await loaded()
    const features = ['stats:trips']
    const entities = [{driver_id: 1}]
    expect((await store.getOnlineFeatures({entities, features})).toRows()).toEqual([
      {driver_id: 1n, trips: 11n},
    ])
    features[0] = 'stats:rating'
    expect((await store.getOnlineFeatures({entities, features})).toRows()).toEqual([
      {driver_id: 1n, rating: 4.75},
    ])
    features.push('stats:trips')
    expect((await store.getOnlineFeatures({entities, features})).featureNames).toEqual(['rating', 'trips'])
    expect(
      (await store.getOnlineFeatures({entities, features, fullFeatureNames: true})).featureNames,
    ).toEqual(['stats__rating', 'stats__trips'])
  })

  test('sees what another applied within two seconds, and what it applied itself at once', async () => {
    const store = await loaded()
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})

    define('ttl: 1d\n')
    await (await openStore()).apply()
    time += second
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
    time += second
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: null})

    define('ttl: 30d\n')
    await store.apply()
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
  })

  test('sees what another applied, also where `now` stands still', async () => {
    await loaded()
    const now = time
    const store = await FeatureStore.open(folder, {environment: {clock: () => time}, now: () => now})
    open.push(store)
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
    define('ttl: 1d\n')
    await (await openStore()).apply()
    time += 2n * second
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: null})
  })

  test('reads by what was registered last while the registry is damaged, and by what is new when it is whole', async () => {
    const store = await loaded()
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
    const registry = join(folder, 'data/registry.json')
    const whole = readFileSync(registry)
    writeFileSync(registry, 'not a registry')
    for (let round = 0; round < 3; round += 1) {
      time += 2n * second
      expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
      expect(await tripsOf(store, 'stats:rating')).toContainEqual({driver_id: 1n, rating: 4.75})
    }
    await expect(tripsOf(await openStore(), 'stats:trips')).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
    })
    writeFileSync(registry, whole)
    define('ttl: 1d\n')
    await (await openStore()).apply()
    time += 2n * second
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: null})
  })

  test('many selections at once, while others are applied, each get an answer of their own', async () => {
    const store = await loaded()
    const asked = [['stats:trips'], ['stats:rating'], ['stats:trips', 'stats:rating']]
    for (let round = 0; round < 20; round += 1) {
      if (round % 5 === 0) {
        define(`ttl: ${20 + round}d\n`)
        await store.apply()
      }
      const answers = await Promise.all(asked.map((features) => tripsOf(store, ...features)))
      expect(answers).toEqual(
        asked.map((features) => [
          {driver_id: 1n, ...pick({trips: 11n, rating: 4.75}, features)},
          {driver_id: 3n, ...pick({trips: null, rating: null}, features)},
        ]),
      )
    }
  })

  test('two stores of one repo in one process read and write side by side', async () => {
    const reader = await loaded()
    expect(await tripsOf(reader, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
    const again = await openStore()
    expect(await tripsOf(again, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
    const writer = await openStore()
    const run = await writer.materialize({start: null, end: time})
    expect(run.status).toBe('ok')
    await writer.close()
    expect(await tripsOf(again, 'stats:rating')).toContainEqual({driver_id: 1n, rating: 4.75})
    await reader.close()
    expect(await tripsOf(again, 'stats:rating')).toContainEqual({driver_id: 1n, rating: 4.75})
  })

  test('is not used any more once it is closed', async () => {
    const store = await loaded()
    await tripsOf(store, 'stats:trips')
    const rows = join(folder, 'rows.csv')
    writeFileSync(rows, 'driver_id,event_timestamp\n1,2026-01-03T00:00:00Z\n')
    const frame = await store.getHistoricalFeatures({entities: rows, features: ['stats:trips']})
    await store.close()
    const closed = {code: 'FS_CLOSED', message: 'The feature store is closed.'}
    // Each of them once and with nobody else's rejection left alone: that would end the process.
    for (const use of [
      () => tripsOf(store, 'stats:trips'),
      () => store.materializeIncremental(),
      () => store.plan(),
      () => store.apply(),
      () => store.teardown(),
      () => store.status(),
      () => store.verify(),
      () => store.listRuns(),
      () => store.definitions(),
      () => store.getHistoricalFeatures({entities: rows, features: ['stats:trips']}),
      () => frame.writeFile(join(folder, 'frame.parquet'), 'parquet'),
      () => tripsOf(store, 'stats:rating'),
    ])
      await expect(use()).rejects.toMatchObject(closed)
    await store.close()
  })

  test('an online store that is damaged is told, and loaded again once it was removed', async () => {
    const store = await loaded()
    await store.close()
    const data = join(folder, 'data/online/rides/data.mdb')
    writeFileSync(data, randomBytes(20_000))
    const other = await openStore()
    await expect(tripsOf(other, 'stats:trips')).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringContaining('damaged') as string,
    })
    rmSync(join(folder, 'data/online'), {recursive: true})
    expect((await other.materializeIncremental()).views[0]?.rows.written).toBe(2)
    expect(await tripsOf(other, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
  })

  test('verifies what it loaded, and what was loaded no more', async () => {
    const store = await loaded()
    expect(await store.verify()).toMatchObject({
      differences: 0,
      views: [{name: 'stats', checked: 2, equal: 2, examples: []}],
    })
    writeFileSync(
      join(folder, 'stats.csv'),
      'driver_id,event_timestamp,trips,rating\n1,2026-01-02T00:00:00Z,12,4.75\n2,2026-01-01T00:00:00Z,20,\n',
    )
    const {differences, views} = await store.verify({views: ['stats'], sample: 'all', maxReadsPerSecond: 100})
    expect(differences).toBe(1)
    expect(views[0]?.examples).toMatchObject([
      {
        kind: 'different',
        key: [{name: 'driver_id', value: 1n}],
        features: [{name: 'trips', expected: 12n, found: 11n}],
      },
    ])
  })

  test('a load that is interrupted says so and can be repeated', async () => {
    const store = await openStore()
    await store.apply()
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    const stopped = await store.materializeIncremental({signal: stop.signal})
    expect(stopped).toMatchObject({status: 'interrupted'})
    expect((await store.materializeIncremental()).status).toBe('ok')
    expect(await tripsOf(store, 'stats:trips')).toContainEqual({driver_id: 1n, trips: 11n})
  })

  test('builds a frame from records, and closes twice', async () => {
    const store = await loaded()
    await using frame = await store.getHistoricalFeatures({
      entities: [{driver_id: 1, event_timestamp: new Date('2026-01-01T12:00:00Z')}],
      features: ['stats:trips'],
    })
    const batches = []
    for await (const batch of frame.batches()) batches.push(batch)
    expect(batches.map(({names, rowCount}) => ({names, rowCount}))).toEqual([
      {names: ['driver_id', 'event_timestamp', 'trips'], rowCount: 1},
    ])
    expect(batches[0]?.columns[2]?.values[0]).toBe(10n)
    await store.close()
    await store.close()
  })
})

function pick(values: Readonly<Record<string, unknown>>, features: readonly string[]): object {
  return Object.fromEntries(
    features.map((name) => name.slice('stats:'.length)).map((name) => [name, values[name]]),
  )
}
