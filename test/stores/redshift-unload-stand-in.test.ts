import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {RedshiftDataClient} from '@aws-sdk/client-redshift-data'
import {DuckDBInstance} from '@duckdb/node-api'
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import pg from 'pg'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {duckDbExtensions, startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {rowsOf, runStatement} from '../support/redshift-statements.js'

let aws: AwsStandIn
let redshift: RedshiftDataClient
let s3: S3Client
let postgres: pg.Client
const folder = mkdtempSync(join(tmpdir(), 'fs-unload-'))
const Bucket = 'staging'
const role = "IAM_ROLE 'arn:aws:iam::111111111111:role/loader'"

beforeAll(async () => {
  aws = await startAws()
  const settings = {
    endpoint: aws.url,
    region: 'us-east-1',
    credentials: {accessKeyId: 'test', secretAccessKey: 'test'},
  }
  redshift = new RedshiftDataClient(settings)
  s3 = new S3Client({...settings, forcePathStyle: true})
  await s3.send(new CreateBucketCommand({Bucket}))
  postgres = new pg.Client({connectionString: aws.postgresUrl})
  await postgres.connect()
})

afterAll(async () => {
  await postgres.end()
  redshift.destroy()
  s3.destroy()
  await aws.dispose()
  rmSync(folder, {recursive: true})
})

const run = (sql: string) => runStatement(redshift, sql)
const unload = (select: string, prefix: string, options = '') =>
  run(
    `UNLOAD ('${select.replaceAll("'", "''")}') TO 's3://${Bucket}/${prefix}' ${role} FORMAT AS PARQUET MANIFEST ${options}`,
  )

async function keysOf(Prefix: string): Promise<readonly string[]> {
  const {Contents = []} = await s3.send(new ListObjectsV2Command({Bucket, Prefix}))
  return Contents.map(({Key}) => Key!.slice(Prefix.length))
}

/** Rows of a query on what DuckDB finds in the bucket. */
async function read(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: duckDbExtensions(),
    autoinstall_known_extensions: 'false',
  })
  const connection = await instance.connect()
  await connection.run('LOAD httpfs')
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', ENDPOINT '${aws.url.slice('http://'.length)}', USE_SSL false, URL_STYLE 'path')`,
  )
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson()
  connection.closeSync()
  instance.closeSync()
  return rows
}

async function write(select: string, Key: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const file = join(folder, 'written.parquet')
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  await s3.send(new PutObjectCommand({Bucket, Key, Body: readFileSync(file)}))
}

describe('UNLOAD', () => {
  test('writes parts and a manifest that names them with their lengths', async () => {
    await postgres.query(
      "CREATE TABLE public.numbers AS SELECT i AS n, 'row ' || i AS name FROM generate_series(1, 1000) i",
    )
    expect(await unload('SELECT n, name FROM numbers', 'plain/')).toMatchObject({
      ...{Status: 'FINISHED', HasResultSet: false},
    })
    const keys = await keysOf('plain/')
    expect(keys).toEqual(['0000_part_00.parquet', '0001_part_00.parquet', 'manifest'])
    const {Body} = await s3.send(new GetObjectCommand({Bucket, Key: 'plain/manifest'}))
    const {entries} = JSON.parse(await Body!.transformToString()) as {entries: {url: string; meta: object}[]}
    expect(entries.map(({url}) => url)).toEqual(keys.slice(0, 2).map((key) => `s3://${Bucket}/plain/${key}`))
    for (const {url, meta} of entries) {
      const {ContentLength} = await s3.send(
        new GetObjectCommand({Bucket, Key: url.slice(`s3://${Bucket}/`.length)}),
      )
      expect(meta).toEqual({content_length: ContentLength})
    }
    expect(
      await read(`SELECT count(*)::INT AS n, sum(n)::INT AS total FROM 's3://${Bucket}/plain/*.parquet'`),
    ).toEqual([{n: 1000, total: 500_500}])
    expect(
      await read(`SELECT DISTINCT compression FROM parquet_metadata('s3://${Bucket}/plain/*.parquet')`),
    ).toEqual([{compression: 'SNAPPY'}])
  })

  test('keeps every value, nulls apart from empty texts', async () => {
    await postgres.query(
      `CREATE TABLE public.values_of (i int, a int2, b int8, c float4, d float8, e numeric(22, 2), f boolean, g varchar(20),
        h date, j timestamp, k timestamptz, l jsonb, m bytea)`,
    )
    await postgres.query(
      `INSERT INTO public.values_of VALUES
        (1, 32767, 9007199254740993, 1.1, 'NaN', 12345678901234567890.12, true, E'a,"b"\\n\\\\N', '1969-12-31',
         '1969-12-31 23:59:59.999999', '2024-03-31 01:30:00.123456+02', '{"a":[1,null]}', '\\x00ff'),
        (2, null, null, null, '-Infinity', null, null, '', null, null, null, null, ''),
        (3, null, null, null, null, null, null, null, null, null, null, null, null),
        (4, null, null, null, 1e300, null, false, '\\N', null, null, null, null, null)`,
    )
    expect(await unload('SELECT * FROM values_of ORDER BY i', 'values/', 'PARALLEL OFF')).toMatchObject({
      Status: 'FINISHED',
    })
    const files = `'s3://${Bucket}/values/000.parquet'`
    expect(await read(`SELECT * REPLACE (hex(m) AS m) FROM ${files} ORDER BY i`)).toEqual([
      {
        ...{
          i: 1,
          a: 32767,
          b: '9007199254740993',
          c: 1.100000023841858,
          d: 'NaN',
          e: '12345678901234567890.12',
          f: true,
        },
        ...{
          g: 'a,"b"\n\\N',
          h: '1969-12-31',
          j: '1969-12-31 23:59:59.999999',
          k: '2024-03-30 23:30:00.123456',
        },
        ...{l: '{"a": [1, null]}', m: '00FF'},
      },
      {
        ...{i: 2, a: null, b: null, c: null, d: '-Infinity', e: null, f: null},
        ...{g: '', h: null, j: null, k: null, l: null, m: ''},
      },
      {
        i: 3,
        a: null,
        b: null,
        c: null,
        d: null,
        e: null,
        f: null,
        g: null,
        h: null,
        j: null,
        k: null,
        l: null,
        m: null,
      },
      {
        i: 4,
        a: null,
        b: null,
        c: null,
        d: 1e300,
        e: null,
        f: false,
        g: '\\N',
        h: null,
        j: null,
        k: null,
        l: null,
        m: null,
      },
    ])
    const types = await read(`DESCRIBE SELECT * FROM ${files}`)
    expect(types.map(({column_type}) => column_type)).toEqual([
      ...[
        'INTEGER',
        'SMALLINT',
        'BIGINT',
        'FLOAT',
        'DOUBLE',
        'DECIMAL(22,2)',
        'BOOLEAN',
        'VARCHAR',
        'DATE',
        'TIMESTAMP',
      ],
      ...['TIMESTAMP', 'VARCHAR', 'BLOB'],
    ])
  })

  test('keeps an order when it writes one after the other, and files under their size', async () => {
    await postgres.query(
      'CREATE TABLE public.wide AS SELECT i AS n, md5(i::text) || md5((i + 1)::text) AS noise FROM generate_series(1, 400000) i',
    )
    await unload('SELECT * FROM wide ORDER BY n DESC', 'capped/', 'PARALLEL OFF MAXFILESIZE 5 MB')
    const keys = (await keysOf('capped/')).filter((key) => key !== 'manifest')
    expect(keys.length).toBeGreaterThan(1)
    expect(keys[0]).toBe('000.parquet')
    expect(
      await read(
        `SELECT count(*)::INT AS n, bool_and(n = 400001 - place) AS ordered FROM (SELECT n, row_number() OVER () AS place FROM read_parquet([${keys.map((key) => `'s3://${Bucket}/capped/${key}'`).join(', ')}]))`,
      ),
    ).toEqual([{n: 400_000, ordered: true}])
  })

  test('fails where files are, unless it may overwrite; parts of before stay', async () => {
    await s3.send(new PutObjectCommand({Bucket, Key: 'taken/0007_part_00.parquet', Body: 'old'}))
    expect((await unload('SELECT 1 AS n', 'taken/')).Error).toContain('is not empty')
    expect(await unload('SELECT 1 AS n', 'taken/', 'ALLOWOVERWRITE')).toMatchObject({Status: 'FINISHED'})
    expect(await keysOf('taken/')).toEqual(['0000_part_00.parquet', '0007_part_00.parquet', 'manifest'])
  })

  test('of no rows writes no part in parallel, and an empty one else', async () => {
    await unload('SELECT n FROM numbers WHERE n < 0', 'none/')
    expect(await keysOf('none/')).toEqual(['manifest'])
    await unload('SELECT n FROM numbers WHERE n < 0', 'empty/', 'PARALLEL OFF')
    expect(await keysOf('empty/')).toEqual(['000.parquet', 'manifest'])
    expect(await read(`SELECT count(*)::INT AS n FROM 's3://${Bucket}/empty/*.parquet'`)).toEqual([{n: 0}])
  })

  test('reads the temporary tables of its session, and is undone by no failure', async () => {
    const {SessionId} = await runStatement(redshift, 'CREATE TEMP TABLE staged AS SELECT 5 AS n', {
      SessionKeepAliveSeconds: 60,
    })
    const sql = `UNLOAD ($$SELECT n FROM staged$$) TO 's3://${Bucket}/staged/' ${role} FORMAT PARQUET`
    expect(await runStatement(redshift, sql, {SessionId: SessionId!})).toMatchObject({Status: 'FINISHED'})
    expect(await read(`SELECT n FROM 's3://${Bucket}/staged/*.parquet'`)).toEqual([{n: 5}])
  })

  test.each([
    ['a LIMIT outside', `UNLOAD ('SELECT 1 AS n LIMIT 1') TO 's3://${Bucket}/x/' ${role} PARQUET`, 'LIMIT'],
    ['no role', `UNLOAD ('SELECT 1 AS n') TO 's3://${Bucket}/x/' PARQUET`, 'IAM_ROLE'],
    ['no bucket', `UNLOAD ('SELECT 1 AS n') TO 's3://nowhere/x/' ${role} PARQUET`, 'NoSuchBucket'],
    ['a hidden prefix', `UNLOAD ('SELECT 1 AS n') TO 's3://${Bucket}/_x' ${role} PARQUET`, 'must not begin'],
    [
      'a word too many',
      `UNLOAD ('SELECT 1 AS n') TO 's3://${Bucket}/x/' ${role} PARQUET QUICKLY`,
      'syntax error',
    ],
    [
      'quotes that are not doubled',
      `UNLOAD ('SELECT 'a' AS n') TO 's3://${Bucket}/x/' ${role} PARQUET`,
      'syntax error',
    ],
    [
      "PostgreSQL's own",
      `UNLOAD ('SELECT DISTINCT ON (n) n FROM numbers') TO 's3://${Bucket}/x/' ${role} PARQUET`,
      'DISTINCT ON',
    ],
    [
      'digits that are not known',
      `UNLOAD ('SELECT sum(1.5) AS n') TO 's3://${Bucket}/x/' ${role} PARQUET`,
      'cast it',
    ],
  ])('refuses %s', async (_, sql, message) => {
    const {Status, Error: said} = await run(sql)
    expect(Status).toBe('FAILED')
    expect(said).toContain(message)
  })
})

describe('COPY', () => {
  const copy = (table: string, from: string) =>
    run(`COPY ${table} FROM 's3://${Bucket}/${from}' ${role} FORMAT AS PARQUET`)

  test('loads every value, nulls apart from empty texts, into a temporary table of the session', async () => {
    await write(
      `SELECT * FROM (VALUES
        (9007199254740993::BIGINT, 'a,"b"' || chr(10) || '\\N', TIMESTAMP '1969-12-31 23:59:59.999999', '\\x00\\xFF'::BLOB, 1.1::DOUBLE),
        (1, '', TIMESTAMPTZ '2024-03-31 01:30:00+02', NULL, 'NaN'), (2, NULL, NULL, NULL, NULL), (3, '\\N', NULL, NULL, NULL)) v (a, b, c, d, e)`,
      'entities/part.parquet',
    )
    const {SessionId} = await runStatement(
      redshift,
      'CREATE TEMP TABLE e (a bigint, b varchar(max), c timestamp, d varbyte(10), e float8) DISTSTYLE ALL',
      {SessionKeepAliveSeconds: 60},
    )
    const session = {SessionId: SessionId!}
    const sql = `COPY e FROM 's3://${Bucket}/entities/' ${role} FORMAT AS PARQUET`
    expect(await runStatement(redshift, sql, session)).toMatchObject({Status: 'FINISHED', ResultRows: 4})
    await runStatement(
      redshift,
      `UNLOAD ('SELECT * FROM e ORDER BY a') TO 's3://${Bucket}/back/' ${role} PARQUET PARALLEL OFF`,
      session,
    )
    expect(await read(`SELECT * REPLACE (hex(d) AS d) FROM 's3://${Bucket}/back/*.parquet'`)).toEqual([
      {a: '1', b: '', c: '2024-03-30 23:30:00', d: null, e: 'NaN'},
      {a: '2', b: null, c: null, d: null, e: null},
      {a: '3', b: '\\N', c: null, d: null, e: null},
      {a: '9007199254740993', b: 'a,"b"\n\\N', c: '1969-12-31 23:59:59.999999', d: '00FF', e: 1.1},
    ])
  })

  test.each([
    ['another type', '(a int)', 'SELECT 1::BIGINT AS a', 'incompatible Parquet schema'],
    ['another number of columns', '(a int, b int)', 'SELECT 1 AS a', 'Unmatched number of columns'],
    [
      'a text of more bytes than the column has',
      '(a varchar(3))',
      "SELECT 'äö' AS a",
      'longer than the length',
    ],
  ])('refuses %s', async (name, columns, select, message) => {
    const table = `refused_${name.replaceAll(' ', '_').slice(0, 20)}`
    await run(`CREATE TABLE ${table} ${columns}`)
    await write(select, `${table}/part.parquet`)
    expect((await copy(table, `${table}/`)).Error).toContain(message)
  })

  test('refuses a place with nothing in it', async () => {
    await run('CREATE TABLE nothing (a int)')
    expect((await copy('nothing', 'nowhere/')).Error).toContain('does not exist')
    expect(await rowsOf(redshift, 'SELECT a FROM nothing')).toEqual([])
  })
})
