/** Files in S3 as sources: by DuckDB's own extension and by the SDK's cache, with the same answers. */
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {DataSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {duckDbExtensions} from '../support/aws-stand-in.js'
import {featureRows, frameQuery, latestQuery, readFrame, readNewest, viewJoin} from '../support/frames.js'

const Bucket = 'features'
const start = BigInt(Date.UTC(2026, 0, 1)) * 1000n
const hour = 3_600_000_000n
const later = start + 10_000n * 24n * hour

let aws: AdoptedAws
let s3: AdoptedAws['s3']
let folder = ''

/** Two hours of rows for each of 20 drivers, `value` more than their number. */
async function rowsAs(format: string, value: number, hours = 0): Promise<Buffer> {
  const file = join(folder, `made.${format}`)
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT id AS driver_id, TIMESTAMP '2026-01-01' + to_hours((h + ${hours})::INT) AS event_timestamp,
       id + h + ${value}.5 AS rate FROM range(20) r(id), range(2) s(h)) TO '${file}' (FORMAT ${format.replace('jsonl', 'json')})`,
  )
  connection.closeSync()
  instance.closeSync()
  return readFileSync(file)
}

const put = (Key: string, Body: Buffer | string) => s3.send(new PutObjectCommand({Bucket, Key, Body}))

const fileSource = (path: string): DataSource => ({
  kind: 'data_source',
  name: 'stats',
  type: 'file',
  path: `s3://${Bucket}/${path}`,
  timestampField: 'event_timestamp',
})

beforeAll(async () => {
  aws = await adoptAws({bucket: Bucket})
  s3 = aws.s3
  folder = mkdtempSync(join(tmpdir(), 'fs-s3-'))
  for (const format of ['parquet', 'csv', 'jsonl']) await put(`one/stats.${format}`, await rowsAs(format, 1))
  await put('hive/region=eu/a.parquet', await rowsAs('parquet', 10))
  await put('hive/region=us/a.parquet', await rowsAs('parquet', 20, 5))
  await put('odd [x] & +%/st*ts.parquet', await rowsAs('parquet', 3))
  await put('two/a.parquet', await rowsAs('parquet', 1))
  await put('two/b.csv', await rowsAs('csv', 1))
  await put('empty.parquet', '')
})
beforeEach(() => aws.heal())
afterAll(async () => {
  rmSync(folder, {recursive: true})
  await aws.dispose()
})

async function newest(store: OfflineStore, source: DataSource, features = {rate: 'float64'} as const) {
  const rows = featureRows(source, {driver_id: 'int64', event_timestamp: 'timestamp'}, features)
  const {rows: read} = await readNewest(store, latestQuery(rows))
  return read
}

async function frame(store: OfflineStore, source: DataSource) {
  const entityRows = {
    kind: 'values',
    columns: [
      {name: 'driver_id', valueType: 'int64'},
      {name: 'event_timestamp', valueType: 'timestamp'},
    ],
    rows: [[1n, start + hour] as const, [2n, start + 30n * hour] as const, [99n, start + hour] as const],
  } as const
  const table = featureRows(source, {driver_id: 'int64'}, {rate: 'float64'})
  return (
    await readFrame(
      store,
      frameQuery(entityRows, [viewJoin(table, {outputs: [{feature: 'rate', as: 'rate'}]})]),
    )
  ).rows
}

const ways = [
  ['httpfs', () => ({extensionDirectory: duckDbExtensions()})],
  ['the cache', () => ({extensionDirectory: join(folder, 'none'), cacheDirectory: join(folder, 'cache')})],
] as const

test('both ways give the same frames and loads', async () => {
  const [one, two] = await Promise.all(
    ways.map(([, settings]) =>
      openOfflineStore({type: 'duckdb', settings: settings()}, {repoDirectory: folder}),
    ),
  )
  try {
    for (const path of [
      'one/stats.parquet',
      'one/stats.csv',
      'one/stats.jsonl',
      'hive/*/*.parquet',
      'hive',
      'hive/',
    ]) {
      const source = fileSource(path)
      const rows = await newest(one!, source)
      expect(rows.length, path).toBeGreaterThanOrEqual(40)
      expect(await newest(two!, source), path).toEqual(rows)
      const framed = await frame(one!, source)
      expect(framed.map((row) => row.at(-1)).slice(2), path).toEqual([null])
      expect(await frame(two!, source), path).toEqual(framed)
      expect(await one!.describeSource({source, inputs: {}}), path).toEqual(
        await two!.describeSource({source, inputs: {}}),
      )
    }
  } finally {
    await one?.[Symbol.asyncDispose]()
    await two?.[Symbol.asyncDispose]()
  }
})

describe.each(ways)('through %s', (way, settings) => {
  let store: OfflineStore
  beforeEach(async () => {
    store = await openOfflineStore({type: 'duckdb', settings: settings()}, {repoDirectory: folder})
  })
  afterEach(() => store[Symbol.asyncDispose]())

  test('folders named k=v are columns', async () => {
    const columns = await store.describeSource({source: fileSource('hive/**/*.parquet'), inputs: {}})
    expect(columns.map(({name}) => name)).toEqual(['driver_id', 'event_timestamp', 'rate', 'region'])
  })

  test('an object is taken by its very name', async () => {
    const whole = await newest(store, fileSource('odd [[]x] & +%/st[*]ts.parquet'))
    expect(whole).toHaveLength(40)
  })

  test.each([
    ['one/none.parquet', 'there is no such object, and no folder of that name'],
    ['none/*.parquet', 'no object fits the pattern'],
    ['empty.parquet', 'the object is empty'],
    ['two', 'the folder holds files of several formats (csv, parquet)'],
  ])('%s: %s', async (path, reason) => {
    const source = fileSource(path)
    await expect(store.describeSource({source, inputs: {}})).rejects.toMatchObject({
      code: 'FS_SOURCE_UNREADABLE',
      message: `Data source \`stats\` can't be read: s3://${Bucket}/${path}: ${reason}.`,
    })
  })

  test('a bucket that is not there, and a refusal, are told', async () => {
    const source = {...fileSource(''), path: 's3://no-such-bucket/*.csv'} as DataSource
    await expect(store.describeSource({source, inputs: {}})).rejects.toMatchObject({
      code: 'FS_SOURCE_UNREADABLE',
      message: expect.stringContaining('there is no bucket `no-such-bucket`'),
    })
    await aws.faults([{operation: 'S3.ListObjects*', type: 'AccessDenied', status: 403}])
    await expect(
      store.describeSource({source: fileSource('hive/*/*.parquet'), inputs: {}}),
    ).rejects.toMatchObject({
      code: 'FS_SOURCE_UNREADABLE',
      message: expect.stringMatching(/access is denied to arn:aws:/),
    })
  })

  test('throttling is waited out', async () => {
    await put('slow/a.parquet', await rowsAs('parquet', 4))
    await aws.faults([
      {operation: 'S3.HeadObject', type: 'SlowDown', status: 503, times: 2},
      {operation: 'S3.GetObject', type: 'SlowDown', status: 503, times: 2},
    ])
    expect(await newest(store, fileSource('slow/a.parquet'))).toHaveLength(40)
  })

  test('the version of a source follows the ETags of its objects', async () => {
    const tree = {source: fileSource('versions/*.csv'), inputs: {}}
    await put('versions/a.csv', await rowsAs('csv', 1))
    const first = await store.sourceVersion(tree, later)
    expect(await store.sourceVersion(tree, later)).toBe(first)
    await put('versions/a.csv', await rowsAs('csv', 2))
    const second = await store.sourceVersion(tree, later)
    expect(second).not.toBe(first)
    expect((await newest(store, tree.source))[0]?.values).toEqual([2.5])
    // What came after that moment does not count.
    expect(await store.sourceVersion(tree, start)).not.toBe(second)
  })

  if (way === 'the cache')
    test('an object is fetched once, and what was not used for longest goes first', async () => {
      const parquet = await rowsAs('parquet', 7)
      const cacheDirectory = join(folder, 'small')
      const cacheSize = `${((parquet.length * 2.5) / 1000).toFixed(3)}KB`
      await using small = await openOfflineStore(
        {type: 'duckdb', settings: {...settings(), cacheDirectory, cacheSize}},
        {repoDirectory: folder},
      )
      await put('lru/a.parquet', parquet)
      const earlier = (await aws.calls())['S3.GetObject'] ?? 0
      await newest(small, fileSource('lru/a.parquet'))
      await newest(small, fileSource('lru/a.parquet'))
      expect((await aws.calls())['S3.GetObject']).toBe(earlier + 1)
      for (let index = 0; index < 5; index += 1) {
        await put(`lru/${index}.parquet`, parquet)
        await using other = await openOfflineStore(
          {type: 'duckdb', settings: {...settings(), cacheDirectory, cacheSize}},
          {repoDirectory: folder},
        )
        await newest(other, fileSource(`lru/${index}.parquet`))
      }
      const held = readdirSync(cacheDirectory, {recursive: true, encoding: 'utf8'})
        .filter((name) => name.endsWith('.parquet'))
        .map((name) => statSync(join(cacheDirectory, name)))
        .filter((one) => one.isFile())
      expect(held).toHaveLength(2)
      await put('lru/big.parquet', Buffer.alloc(parquet.length * 3))
      await expect(newest(small, fileSource('lru/big.parquet'))).rejects.toMatchObject({
        code: 'FS_SOURCE_UNREADABLE',
        hint: expect.stringContaining('INSTALL httpfs'),
      })
    })
})
