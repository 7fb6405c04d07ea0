/** Tables of lakes whose objects lie in S3. */
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {DataSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {duckDbExtensions} from '../support/aws-stand-in.js'
import {featureRows, latestQuery, readNewest} from '../support/frames.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'
import {makeLakeTables, type LakeTables} from '../support/lake-tables/lake-tables.js'

const bucket = 'lake-objects'
let folder = ''
let aws: AdoptedAws
let glue: GlueTables
let tables: LakeTables
let s3: AdoptedAws['s3']
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-lake-s3-'))
  aws = await adoptAws({bucket})
  s3 = aws.s3
  glue = await GlueTables.create(aws.url, 'lake')
  tables = await makeLakeTables(join(folder, 'tables'))
  await upload(tables.delta.path, 'delta')
  await writeParts()
}, 300_000)
afterAll(async () => {
  glue.close()
  await aws.dispose()
  rmSync(folder, {recursive: true, force: true})
})

async function upload(from: string, prefix: string): Promise<void> {
  for (const name of readdirSync(from, {recursive: true}) as string[]) {
    if (!statSync(join(from, name)).isFile()) continue
    const Body = readFileSync(join(from, name))
    await s3.send(new PutObjectCommand({Bucket: bucket, Key: `${prefix}/${name}`, Body}))
  }
}

/** A table of three days, each a partition; of the last the folder says nothing. */
async function writeParts(): Promise<void> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  for (const [day, place] of [
    [1, 'parts/day=2024-01-01'],
    [2, 'parts/day=2024-01-02'],
    [3, 'elsewhere/third'],
  ] as const) {
    const file = join(folder, `${day}.parquet`)
    await connection.run(
      `COPY (SELECT ${day}::BIGINT AS driver_id, TIMESTAMP '2024-01-0${day} 12:00:00' AS event_timestamp, ${day} / 4.0::DOUBLE AS rate) TO '${file}' (FORMAT parquet)`,
    )
    await s3.send(
      new PutObjectCommand({Bucket: bucket, Key: `${place}/part-0.parquet`, Body: readFileSync(file)}),
    )
    await s3.send(new PutObjectCommand({Bucket: bucket, Key: `${place}/_SUCCESS`, Body: ''}))
  }
  connection.closeSync()
  instance.closeSync()
  await glue.table('parts', {
    location: `s3://${bucket}/parts`,
    format: 'parquet',
    columns: {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'double'},
    keys: {day: 'date'},
  })
  for (const day of ['2024-01-01', '2024-01-02'])
    await glue.partition('parts', [day], `s3://${bucket}/parts/day=${day}`)
  await glue.partition('parts', ['2024-01-03'], `s3://${bucket}/elsewhere/third/`)
  await glue.partition('parts', ['2024-01-04'], `s3://${bucket}/parts/day=2024-01-04`)
}

async function newest(source: DataSource, features: Parameters<typeof featureRows>[2], extensions: string) {
  await using store = await openOfflineStore(
    {type: 'duckdb', settings: {extensionDirectory: extensions, cacheDirectory: join(folder, 'cache')}},
    {repoDirectory: folder},
  )
  const {rows} = await readNewest(store, latestQuery(featureRows(source, {driver_id: 'int64'}, features)))
  return rows
    .map(({key, values}) => [key[0], ...values])
    .toSorted((one, other) => Number(one[0]) - Number(other[0]))
}

describe('in S3', () => {
  test.each([
    ['read where they lie', () => duckDbExtensions()],
    ['fetched into the cache', () => join(folder, 'no-extensions')],
  ])('partitions of a Glue table are %s', async (_, extensions) => {
    const source = {
      ...({kind: 'data_source', name: 'parts', type: 'glue', timestampField: 'event_timestamp'} as const),
      ...{database: 'lake', table: 'parts'},
    }
    expect(await newest(source, {rate: 'float64', day: 'date'}, extensions())).toEqual([
      [1n, 0.25, '2024-01-01'],
      [2n, 0.5, '2024-01-02'],
      [3n, 0.75, '2024-01-03'],
    ])
  })

  test('a Delta table is read at a version', async () => {
    const source = {
      ...({kind: 'data_source', name: 'stats', type: 'delta', timestampField: 'event_timestamp'} as const),
      path: `s3://${bucket}/delta`,
    }
    const local = {...source, path: tables.delta.path}
    for (const more of [{}, {version: 1}]) {
      const expected = await newest({...local, ...more}, {conv_rate: 'float64'}, duckDbExtensions())
      expect(expected.length).toBeGreaterThan(0)
      expect(await newest({...source, ...more}, {conv_rate: 'float64'}, duckDbExtensions())).toEqual(expected)
    }
    await expect(newest(source, {conv_rate: 'float64'}, join(folder, 'no-extensions'))).rejects.toMatchObject(
      {code: 'FS_SOURCE_UNREADABLE', hint: expect.stringContaining('INSTALL httpfs') as string},
    )
  })
})
