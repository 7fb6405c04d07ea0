import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {RedshiftDataClient} from '@aws-sdk/client-redshift-data'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import {DuckDBInstance, type DuckDBConnection} from '@duckdb/node-api'
import pg from 'pg'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {redshiftClients, rowsOf, runStatement} from '../support/redshift-statements.js'

let aws: AwsStandIn
let client: RedshiftDataClient
let s3: S3Client
let postgres: pg.Client
let duckDb: DuckDBConnection
let folder: string

const role = `IAM_ROLE 'arn:aws:iam::123456789012:role/unload'`
const asParquet = `${role} FORMAT AS PARQUET`

beforeAll(async () => {
  aws = await startAws()
  ;({redshift: client, s3} = redshiftClients(aws.url))
  postgres = new pg.Client({connectionString: aws.postgresUrl})
  await postgres.connect()
  duckDb = await (await DuckDBInstance.create()).connect()
  folder = mkdtempSync(join(tmpdir(), 'fs-unload-'))
  await s3.send(new CreateBucketCommand({Bucket: 'stage'}))
})

afterAll(async () => {
  duckDb.closeSync()
  await postgres.end()
  client.destroy()
  s3.destroy()
  await aws.dispose()
  rmSync(folder, {recursive: true, force: true})
})

const run = (...[sql, more]: [string, Parameters<typeof runStatement>[2]?]) => runStatement(client, sql, more)

async function done(sql: string): Promise<void> {
  expect(await run(sql)).toMatchObject({Status: 'FINISHED'})
}

async function keys(Prefix: string): Promise<readonly string[]> {
  const {Contents = []} = await s3.send(new ListObjectsV2Command({Bucket: 'stage', Prefix}))
  return Contents.map(({Key}) => Key!)
}

async function bytesOf(Key: string): Promise<Uint8Array> {
  const {Body} = await s3.send(new GetObjectCommand({Bucket: 'stage', Key}))
  return Body!.transformToByteArray()
}

interface Manifest {
  readonly entries: readonly {readonly url: string; readonly meta: {readonly content_length: number}}[]
}

async function manifestOf(prefix: string): Promise<Manifest> {
  return JSON.parse(new TextDecoder().decode(await bytesOf(`${prefix}manifest`))) as Manifest
}

/** What SQL finds in the parts that a manifest names, `parts`. */
async function read(prefix: string, sql: string): Promise<readonly unknown[]> {
  const files: string[] = []
  for (const [index, {url, meta}] of (await manifestOf(prefix)).entries.entries()) {
    const bytes = await bytesOf(url.replace('s3://stage/', ''))
    expect(bytes.length).toBe(meta.content_length)
    const file = join(folder, `${prefix.replaceAll('/', '-')}${index}.parquet`)
    writeFileSync(file, bytes)
    files.push(`'${file}'`)
  }
  const reader = await duckDb.runAndReadAll(sql.replace('parts', () => `read_parquet([${files.join(', ')}])`))
  return reader.getRowsJson()
}

describe('UNLOAD', () => {
  test('every type comes out as it is; null and the empty text are not the same', async () => {
    await postgres.query(
      `CREATE TABLE public.typed (a smallint, b int, c bigint, d real, e double precision, f numeric(38, 9), g boolean,
        h varchar(20), i char(3), j date, k timestamp, l timestamptz, m jsonb, n bytea)`,
    )
    await postgres.query(
      `INSERT INTO public.typed VALUES
        (1, 2, 9007199254740993, 1.5, 0.1, 12.30, true, 'it''s "x", \\N', 'y', '2024-01-02', '2024-01-02 03:04:05.000001',
          '2024-01-02 03:04:05.25+02', '{"a": [1, "x: y, \\"z"], "b": null}', '\\x00ff'),
        (null, null, null, null, 'NaN', null, null, '', '', null, null, null, null, null),
        (null, null, null, 'Infinity', '-Infinity', null, null, '\\N', null, null, null, null, null, null),
        (null, null, null, null, null, null, null, null, null, null, null, null, null, null)`,
    )
    await done(
      `UNLOAD ('SELECT * FROM typed WHERE coalesce(h, ''none'') <> ''it''''''') TO 's3://stage/typed/' ${asParquet} MANIFEST PARALLEL OFF`,
    )
    expect(await read('typed/', 'SELECT * FROM parts')).toEqual([
      [
        ...[1, 2, '9007199254740993', 1.5, 0.1, '12.300000000', true, 'it\'s "x", \\N', 'y  ', '2024-01-02'],
        ...['2024-01-02 03:04:05.000001', '2024-01-02 01:04:05.25', '{"a":[1,"x: y, \\"z"],"b":null}'],
        '\\x00\\xFF',
      ],
      [null, null, null, null, 'NaN', null, null, '', '   ', null, null, null, null, null],
      [null, null, null, 'Infinity', '-Infinity', null, null, '\\N', null, null, null, null, null, null],
      [null, null, null, null, null, null, null, null, null, null, null, null, null, null],
    ])
    const {url} = (await manifestOf('typed/')).entries[0]!
    expect(url).toBe('s3://stage/typed/000.parquet')
    const [compression] = (
      await duckDb.runAndReadAll(
        `SELECT DISTINCT compression FROM parquet_metadata('${join(folder, 'typed-0.parquet')}')`,
      )
    ).getRowsJson()
    expect(compression).toEqual(['SNAPPY'])
    const types = await read('typed/', 'SELECT column_type FROM (DESCRIBE SELECT * FROM parts)')
    expect((types as readonly string[][]).flat()).toEqual([
      ...['SMALLINT', 'INTEGER', 'BIGINT', 'FLOAT', 'DOUBLE', 'DECIMAL(38,9)', 'BOOLEAN', 'VARCHAR'],
      ...['VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMP', 'VARCHAR', 'BLOB'],
    ])
  })

  test('a text alone in its row, empty, null or of many lines, is a row', async () => {
    await postgres.query(`CREATE TABLE public.texts AS SELECT t::varchar(20) AS t, n
      FROM (VALUES ('', 1), (null, 2), (E'a\\nb\\r\\n', 3), ('\\.', 4), ('', 5)) AS rows (t, n)`)
    await done(
      `UNLOAD ('SELECT t FROM texts ORDER BY n') TO 's3://stage/texts/' ${asParquet} MANIFEST PARALLEL OFF`,
    )
    expect(await read('texts/', 'SELECT t FROM parts')).toEqual([[''], [null], ['a\nb\r\n'], ['\\.'], ['']])
  })

  test('it sees what its session sees', async () => {
    const {SessionId} = await run('CREATE TEMP TABLE mine AS SELECT 7 AS n', {SessionKeepAliveSeconds: 60})
    const sql = `UNLOAD ($$SELECT n FROM mine$$) TO 's3://stage/mine/' ${asParquet} MANIFEST`
    expect(await run(sql, {SessionId: SessionId!})).toMatchObject({Status: 'FINISHED', HasResultSet: false})
    expect(await read('mine/', 'SELECT n FROM parts')).toEqual([[7]])
    expect(await run(sql.replace('mine/', 'other/'))).toMatchObject({
      Status: 'FAILED',
      Error: 'ERROR: relation "mine" does not exist',
    })
  })

  test('no rows leave nothing, and a count of them', async () => {
    await done(
      `UNLOAD ('SELECT 1::bigint AS n WHERE false') TO 's3://stage/none/' ${asParquet} MANIFEST PARALLEL ON`,
    )
    expect(await keys('none/')).toEqual([])
  })

  test('in parallel each slice writes; serially there is one part, in order, unless files may not be so large', async () => {
    await postgres.query(
      `CREATE TABLE public.many AS SELECT i AS n, md5(i::text)::varchar(32) AS h FROM generate_series(1, 600000) i`,
    )
    const select = 'SELECT n, h FROM many ORDER BY n'
    await done(`UNLOAD ('${select}') TO 's3://stage/parallel/' ${asParquet} MANIFEST`)
    expect(await keys('parallel/0')).toEqual([
      'parallel/0000_part_00.parquet',
      'parallel/0001_part_00.parquet',
    ])
    await done(`UNLOAD ('${select}') TO 's3://stage/serial/' ${asParquet} MANIFEST PARALLEL OFF`)
    expect(await keys('serial/0')).toEqual(['serial/000.parquet'])
    await done(
      `UNLOAD ('${select}') TO 's3://stage/capped/' ${asParquet} MANIFEST PARALLEL OFF MAXFILESIZE 5 MB`,
    )
    expect((await keys('capped/0')).length).toBeGreaterThan(1)
    for (const prefix of ['parallel/', 'serial/', 'capped/'])
      expect(await read(prefix, 'SELECT count(*), count(DISTINCT n), min(n), max(n) FROM parts')).toEqual([
        ['600000', '600000', 1, 600_000],
      ])
    for (const prefix of ['serial/', 'capped/'])
      expect(
        await read(
          prefix,
          'SELECT count(*) FROM (SELECT n, row_number() OVER () AS place FROM parts) WHERE n <> place',
        ),
      ).toEqual([['0']])
  }, 120_000)

  test('it does not write where files are, unless told; what is told leaves what is not written again', async () => {
    const sql = `UNLOAD ('SELECT 1 AS n') TO 's3://stage/again/' ${asParquet} MANIFEST`
    await done(sql)
    const refused = await run(sql)
    expect(refused.Status).toBe('FAILED')
    expect(refused.Error).toContain('not empty')
    const left = {Bucket: 'stage', Key: 'again/0005_part_00.parquet', Body: 'left'}
    await s3.send(new PutObjectCommand(left))
    await done(`${sql} ALLOWOVERWRITE`)
    expect(await keys('again/')).toContain(left.Key)
    await done(`${sql} CLEANPATH`)
    expect(await keys('again/')).not.toContain(left.Key)
  })

  test.each([
    ['no role', `UNLOAD ('SELECT 1 AS n') TO 's3://stage/wrong/' FORMAT AS PARQUET`, 'IAM_ROLE'],
    ['a LIMIT', `UNLOAD ('SELECT 1 AS n LIMIT 1') TO 's3://stage/wrong/' ${asParquet}`, 'LIMIT'],
    ['quotes not doubled', `UNLOAD ('SELECT 'x'') TO 's3://stage/wrong/' ${asParquet}`, 'syntax error'],
    ['a hidden prefix', `UNLOAD ('SELECT 1 AS n') TO 's3://stage/_wrong' ${asParquet}`, 'prefix'],
    [
      'a small MAXFILESIZE',
      `UNLOAD ('SELECT 1 AS n') TO 's3://stage/w/' ${asParquet} MAXFILESIZE 1 MB`,
      'MB',
    ],
    [
      "what is PostgreSQL's own",
      `UNLOAD ('SELECT DISTINCT ON (n) n') TO 's3://stage/x/' ${asParquet}`,
      'DISTINCT ON',
    ],
    ['unknown digits', `UNLOAD ('SELECT sum(1.5) AS n') TO 's3://stage/x/' ${asParquet}`, 'cast it'],
    ['another format than Parquet', `UNLOAD ('SELECT 1 AS n') TO 's3://stage/x/' ${role}`, 'Parquet only'],
    ['an unknown option', `UNLOAD ('SELECT 1 AS n') TO 's3://stage/wrong/' ${asParquet} QUICKLY`, 'QUICKLY'],
    ['no such bucket', `UNLOAD ('SELECT 1 AS n') TO 's3://nowhere/x/' ${asParquet}`, 'NoSuchBucket'],
    [
      'its select',
      `UNLOAD ('SELECT now() AS n') TO 's3://stage/wrong/' ${asParquet}`,
      'now on compute nodes',
    ],
  ])('%s fails it', async (_, sql, message) => {
    const {Status, Error: said} = await run(sql)
    expect(Status).toBe('FAILED')
    expect(said).toContain(message)
  })

  test('it fails on demand, after it took effect too', async () => {
    await aws.faults([
      {operation: 'Redshift.Statement', path: 'demand', message: 'S3 slowed down', after: true},
    ])
    expect(await run(`UNLOAD ('SELECT 1 AS n') TO 's3://stage/demand/' ${asParquet} MANIFEST`)).toMatchObject(
      {Status: 'FAILED', Error: 'ERROR: S3 slowed down'},
    )
    expect(await keys('demand/')).toHaveLength(2)
  })
})

describe('COPY', () => {
  /** DuckDB's file of a query, in S3. */
  async function put(Key: string, select: string): Promise<void> {
    const file = join(folder, 'copied.parquet')
    await duckDb.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
    await s3.send(new PutObjectCommand({Bucket: 'stage', Key, Body: readFileSync(file)}))
  }

  test('columns come by their place, every value as it is', async () => {
    await done(
      'CREATE TABLE copied (id bigint, x float8, s varchar(10), t timestamp, z timestamptz, b bool, d date, v varbyte(8), p decimal(10, 2)) DISTSTYLE ALL',
    )
    await put(
      'in/a.parquet',
      `SELECT 9007199254740993 AS other, 'NaN'::DOUBLE, '' AS s, TIMESTAMP '2024-01-02 03:04:05.000001', TIMESTAMPTZ '2024-01-02 03:04:05+00',
        true, DATE '2024-01-02', '\\x00\\xFF'::BLOB, 1.25::DECIMAL(10, 2)
      UNION ALL SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL UNION ALL SELECT -2, 0.1, '\\N', NULL, NULL, false, NULL, NULL, NULL`,
    )
    expect(await run(`COPY copied FROM 's3://stage/in/' ${asParquet}`)).toMatchObject({
      ...{Status: 'FINISHED', HasResultSet: false, ResultRows: 3},
    })
    expect(
      await rowsOf(
        client,
        'SELECT cast(id AS varchar) AS told, x, s, t, z, b, d, to_hex(v), p FROM copied ORDER BY id DESC',
      ),
    ).toEqual([
      [
        ...['9007199254740993', NaN, '', '2024-01-02 03:04:05.000001', '2024-01-02 03:04:05+00', true],
        ...['2024-01-02', '00ff', '1.25'],
      ],
      ['-1', null, null, null, null, null, null, null, null],
      ['-2', 0.1, '\\N', null, null, false, null, null, null],
    ])
  })

  test.each([
    ['a missing file', 'bigint', '1 AS n', 'absent/', 'does not exist'],
    ['another number of columns', 'bigint', '1::BIGINT AS n, 2 AS m', 'bad/', 'Unmatched number of columns'],
    ['another type', 'bigint', `'1' AS n`, 'bad/', 'incompatible Parquet schema'],
    ['a text too long in bytes', 'varchar(3)', `'äö' AS n`, 'bad/', 'longer than'],
  ])('%s fails it', async (_, type, select, from, message) => {
    await done(`DROP TABLE IF EXISTS refusing`)
    await done(`CREATE TABLE refusing (n ${type})`)
    await put('bad/x.parquet', `SELECT ${select}`)
    const {Status, Error: said} = await run(`COPY refusing FROM 's3://stage/${from}' ${asParquet}`)
    expect(Status).toBe('FAILED')
    expect(said).toContain(message)
  })
})
