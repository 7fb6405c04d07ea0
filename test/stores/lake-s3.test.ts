/** Tables of lakes whose objects lie in S3. */
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest'
import type {DataSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {AttachedDatabases} from '../../src/offline/duckdb/attached-databases.js'
import {DuckDbSession} from '../../src/offline/duckdb/duckdb-session.js'
import {readSource} from '../../src/offline/duckdb/read-source.js'
import {ObjectCache} from '../../src/offline/duckdb/s3/object-cache.js'
import {S3Files} from '../../src/offline/duckdb/s3/s3-files.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {duckDbExtensions} from '../support/aws-stand-in.js'
import {featureRows, latestQuery, readNewest} from '../support/frames.js'
import {runFs} from '../support/run-fs.js'
import {StsServer} from '../support/sts-server.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'
import {
  makeIcebergInS3,
  makeLakeTables,
  type IcebergTable,
  type LakeRow,
  type LakeTables,
} from '../support/lake-tables/lake-tables.js'

const bucket = 'lake-objects'
let folder = ''
let aws: AdoptedAws
let glue: GlueTables
let tables: LakeTables
let iceberg: IcebergTable
let s3: AdoptedAws['s3']
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-lake-s3-'))
  aws = await adoptAws({bucket})
  s3 = aws.s3
  glue = await GlueTables.create(aws.url, 'lake')
  tables = await makeLakeTables(join(folder, 'tables'))
  await upload(tables.delta.path, 'delta')
  iceberg = await makeIcebergInS3(join(folder, 'iceberg'), aws.url, bucket)
  await writeParts()
  await glue.table('delta', {
    ...{location: `s3://${bucket}/delta`, columns: {}},
    parameters: {table_type: 'DELTA', 'spark.sql.sources.provider': 'delta'},
  })
  await glue.table('iceberg', {
    ...{location: iceberg.path, columns: {}},
    parameters: {table_type: 'ICEBERG', metadata_location: iceberg.metadataFile},
  })
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

async function newest(
  source: DataSource,
  features: Parameters<typeof featureRows>[2],
  extensions: string,
  cache = 'cache',
) {
  await using store = await openOfflineStore(
    {type: 'duckdb', settings: {extensionDirectory: extensions, cacheDirectory: join(folder, cache)}},
    {repoDirectory: folder},
  )
  const {rows} = await readNewest(store, latestQuery(featureRows(source, {driver_id: 'int64'}, features)))
  return rows
    .map(({key, values}) => [key[0], ...values])
    .toSorted((one, other) => Number(one[0]) - Number(other[0]))
}

/** What a piece of work asked of AWS, and by which sorts of access keys: AKIA… are a user's, ASIA… an assumed role's. */
async function asked<T>(work: () => Promise<T>) {
  const before = (await aws.requests()).length
  const answer = await work()
  const requests = (await aws.requests()).slice(before).filter(({operation}) => !operation.startsWith('STS'))
  return {
    answer,
    operations: [...new Set(requests.map(({operation}) => operation))].toSorted(),
    keys: [...new Set(requests.map(({accessKeyId}) => accessKeyId.slice(0, 4)))],
  }
}

/** The engine asks for the size of an object first, the SDK's listing has told it. */
function objectCalls(how: string): readonly string[] {
  const calls = ['S3.GetObject', 'S3.HeadBucket', 'S3.HeadObject', 'S3.ListObjectsV2']
  return how === 'read where they lie' ? calls : calls.filter((call) => !call.startsWith('S3.Head'))
}

describe('in S3', () => {
  test.each([
    ['read where they lie', () => duckDbExtensions()],
    ['fetched into the cache', () => join(folder, 'no-extensions')],
  ])('objects whose keys are patterns are %s, each once', async (_, extensions) => {
    const keys = ['p1.parquet', 'p[1].parquet']
    for (const [index, key] of keys.entries()) {
      const Body = readFileSync(join(folder, `${index + 1}.parquet`))
      await s3.send(new PutObjectCommand({Bucket: bucket, Key: `patterns/${key}`, Body}))
    }
    const name = extensions() === duckDbExtensions() ? 'patterns_there' : 'patterns_cached'
    await glue.table(name, {
      location: `s3://${bucket}/patterns`,
      format: 'parquet',
      columns: {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'double'},
    })
    const source = {
      ...({kind: 'data_source', name, type: 'glue', timestampField: 'event_timestamp'} as const),
      ...{database: 'lake', table: name},
    }
    expect(await newest(source, {rate: 'float64'}, extensions())).toEqual([
      [1n, 0.25],
      [2n, 0.5],
    ])
  })

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

  test.each([
    ['read where they lie', () => duckDbExtensions()],
    ['fetched into the cache', () => join(folder, 'no-extensions')],
  ])('the role of a Glue source also reads its objects, %s', async (how, extensions) => {
    const source = {
      ...({kind: 'data_source', name: 'parts', type: 'glue', timestampField: 'event_timestamp'} as const),
      ...{database: 'lake', table: 'parts', roleArn: `arn:aws:iam::123456789012:role/${how.length}`},
    }
    const found = await asked(() => newest(source, {rate: 'float64'}, extensions(), how))
    expect(found.answer).toHaveLength(3)
    expect(found.operations).toEqual(['Glue.GetPartitions', 'Glue.GetTable', ...objectCalls(how)])
    expect(found.keys).toEqual(['ASIA'])
  })

  test('the role of a Glue source also reads the objects of Delta and Iceberg tables', async () => {
    for (const table of ['delta', 'iceberg']) {
      const source = {
        ...({kind: 'data_source', name: table, type: 'glue', timestampField: 'event_timestamp'} as const),
        ...{database: 'lake', table, roleArn: `arn:aws:iam::123456789012:role/${table}`},
      }
      const found = await asked(() => newest(source, {conv_rate: 'float64'}, duckDbExtensions()))
      expect(found.answer.length, table).toBeGreaterThan(2)
      expect(found.operations).toContain('S3.GetObject')
      expect(found.keys, table).toEqual(['ASIA'])
    }
  })

  test.each([
    ['Parquet', 'parts'],
    ['Delta', 'delta'],
  ])('each statement reads as whom the role is then, also within a session (%s)', async (_, table) => {
    const roleArn = 'arn:aws:iam::123456789012:role/short'
    await using sts = await StsServer.start({roleArn, externalId: null})
    // Less than the time before which credentials are renewed.
    sts.sessionMillis = 60_000
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url)
    const instance = await DuckDBInstance.create(':memory:', {extension_directory: duckDbExtensions()})
    try {
      await using files = new S3Files(new ObjectCache(join(folder, 'unused'), 1))
      const databases = new AttachedDatabases(instance)
      await using session = new DuckDbSession(await instance.connect(), databases, files)
      const source = {
        ...({kind: 'data_source', name: table, type: 'glue', timestampField: 'event_timestamp'} as const),
        ...{database: 'lake', table, roleArn},
      }
      const read = async () => {
        const {relation} = await readSource(session, {source, inputs: {}}, folder, 'exact')
        // What is held of the objects would be read again, and not asked for.
        await session.run('SET enable_external_file_cache = false')
        await session.rows(`SELECT max(driver_id) FROM ${relation}`)
        return (await aws.requests()).findLast(({operation}) => operation === 'S3.GetObject')?.accessKeyId
      }
      const first = await read()
      expect(first).toMatch(/^ASIA/)
      expect(await read()).not.toBe(first)
    } finally {
      instance.closeSync()
      vi.unstubAllEnvs()
    }
  })

  test('where a bucket lies is asked once, whatever is read of it', async () => {
    const {answer, operations} = await asked(async () => {
      const before = (await aws.calls())['S3.HeadBucket'] ?? 0
      const source = {
        ...({kind: 'data_source', name: 'parts', type: 'glue', timestampField: 'event_timestamp'} as const),
        ...{database: 'lake', table: 'parts'},
      }
      await newest(source, {rate: 'float64'}, duckDbExtensions())
      return ((await aws.calls())['S3.HeadBucket'] ?? 0) - before
    })
    expect(operations).toContain('S3.GetObject')
    expect(answer).toBe(1)
  })

  test('each snapshot of an Iceberg table is read, by its folder and by its metadata file', async () => {
    const source = {
      ...({kind: 'data_source', name: 'stats', type: 'iceberg', timestampField: 'event_timestamp'} as const),
      path: iceberg.path,
    }
    const rates = (rows: readonly LakeRow[]) => {
      const last = new Map(rows.map(([driver, , rate]) => [BigInt(driver ?? 0), rate]))
      return [...last].toSorted(([one], [other]) => Number(one) - Number(other))
    }
    expect(iceberg.path).toMatch(/^s3:\/\//)
    expect(iceberg.snapshots).toHaveLength(4)
    const read = (more: object) => newest({...source, ...more}, {conv_rate: 'float64'}, duckDbExtensions())
    for (const {id, rows} of iceberg.snapshots) expect(await read({snapshotId: id})).toEqual(rates(rows))
    const rows = iceberg.snapshots.at(-1)?.rows ?? []
    expect(await read({})).toEqual(rates(rows))
    expect(await read({path: iceberg.metadataFile})).toEqual(rates(rows))
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

test('doctor says who reads the sources, as which role, and what the engine needs for them', async () => {
  const repo = join(folder, 'repo')
  mkdirSync(repo, {recursive: true})
  const role = 'arn:aws:iam::123456789012:role/data'
  writeFileSync(
    join(repo, 'sources.yaml'),
    `{kind: data_source, name: parts, type: glue, database: lake, table: parts, role_arn: "${role}", timestamp_field: event_timestamp}
---
{kind: data_source, name: stats, type: iceberg, path: "${iceberg.path}", timestamp_field: event_timestamp}
`,
  )
  const examine = async (extensions: string, environment: Readonly<Record<string, string>> = {}) => {
    writeFileSync(
      join(repo, 'feature_store.yaml'),
      `{project: lake, offline_store: {type: duckdb, extension_directory: "${extensions}"}}`,
    )
    const {stdout} = await runFs(['doctor', '--json', '-C', repo], {env: {...process.env, ...environment}})
    const {checks} = JSON.parse(stdout) as {checks: {part: string; name: string; status: string}[]}
    return checks.filter(({name}) => ['credentials', 'role', 'extensions'].includes(name))
  }
  expect(await examine(duckDbExtensions())).toMatchObject([
    {part: 'offline_store', name: 'credentials', status: 'ok'},
    {name: 'role', status: 'ok', detail: expect.stringContaining('assumed-role/data/') as string},
    {name: 'extensions', status: 'ok', detail: 'httpfs, iceberg'},
  ])
  expect(await examine(join(folder, 'no-extensions'))).toMatchObject([
    {status: 'ok'},
    {status: 'ok'},
    {
      status: 'failed',
      detail: "httpfs, iceberg can't be loaded",
      remedy: expect.stringMatching(/INSTALL httpfs.*INSTALL avro/) as string,
    },
  ])
  const definitions = readFileSync(join(repo, 'sources.yaml'), 'utf8')
  writeFileSync(join(repo, 'sources.yaml'), definitions.split('---')[0] ?? '')
  // Files are read all the same.
  expect((await examine(join(folder, 'no-extensions')))[2]).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('cache') as string,
  })
  writeFileSync(join(repo, 'sources.yaml'), definitions)
  await aws.faults([{operation: 'STS.AssumeRole', type: 'AccessDenied', status: 403, times: 9}])
  expect(await examine(duckDbExtensions())).toMatchObject([
    {status: 'ok'},
    {
      status: 'failed',
      detail: `${role} can't be assumed`,
      remedy: expect.stringContaining('`role_arn`') as string,
    },
    {status: 'ok'},
  ])
  await aws.heal()
})
