import {RedshiftDataClient} from '@aws-sdk/client-redshift-data'
import pg from 'pg'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {checkRedshiftSql} from '../support/redshift-sql/check-redshift-sql.js'
import {rowsOf, runStatement} from '../support/redshift-statements.js'

let aws: AwsStandIn
let client: RedshiftDataClient

beforeAll(async () => {
  aws = await startAws()
  client = new RedshiftDataClient({
    endpoint: aws.url,
    region: 'us-east-1',
    credentials: {accessKeyId: 'test', secretAccessKey: 'test'},
  })
  const postgres = new pg.Client({connectionString: aws.postgresUrl})
  await postgres.connect()
  await postgres.query(
    `CREATE TABLE t AS SELECT * FROM (VALUES (1, 1, 'a'), (1, 2, NULL), (1, 3, 'b'), (1, 4, NULL), (2, 1, NULL)) v (k, i, x);
     ALTER TABLE t ALTER x TYPE varchar(10)`,
  )
  await postgres.query("CREATE TABLE padded AS SELECT 'a '::char(3) AS x")
  await postgres.end()
})

afterAll(async () => {
  client.destroy()
  await aws.dispose()
})

/** What Redshift has. Each is run, and is checked without a finding. */
const translated: readonly (readonly [string, string, readonly (readonly unknown[])[]])[] = [
  ['names are folded, in quotes too', 'SELECT "K" FROM "T" WHERE "I" = 4', [[1]]],
  [
    'days are boundaries',
    "SELECT datediff(day, '2020-01-01 23:59:59'::timestamp, '2020-01-02 00:00:01'::timestamp)",
    [[1]],
  ],
  ['years, too', "SELECT datediff('year', date '2020-12-31', date '2021-01-01')", [[1]]],
  [
    'weeks begin on Sunday',
    "SELECT datediff(week, date '2024-01-06', date '2024-01-07'), datediff(w, date '2024-01-07', date '2024-01-13')",
    [[1, 0]],
  ],
  [
    'seconds before 1970',
    "SELECT datediff(second, '1969-12-31 23:59:59.5'::timestamp, '1970-01-01'::timestamp)",
    [[1]],
  ],
  [
    'microseconds are exact',
    "SELECT datediff(us, timestamp '1970-01-01', timestamp '2024-01-02 03:04:05.123456'), dateadd(microsecond, 1704164645123456, timestamp '1970-01-01')",
    [[1_704_164_645_123_456, '2024-01-02 03:04:05.123456']],
  ],
  [
    'months are added',
    "SELECT dateadd(month, 1, date '2024-01-31'), dateadd(d, -1, timestamp '2024-03-01')",
    [['2024-02-29 00:00:00.0', '2024-02-29 00:00:00.0']],
  ],
  ['now is a timestamp without a zone', 'SELECT datediff(hour, getdate(), sysdate)', [[0]]],
  ['nvl', "SELECT nvl(x, 'none') FROM t WHERE k = 2", [['none']]],
  [
    'averages of whole numbers are cut',
    'SELECT avg(i), avg(cast(i AS bigint)), avg(cast(-i AS smallint)), avg(i::float8), avg(i::decimal(4, 1)) FROM t WHERE i < 3',
    [[1, 1, -1, 4 / 3, '1.3333333333333333']],
  ],
  ['an average of nothing', 'SELECT avg(i) FROM t WHERE i > 9', [[null]]],
  [
    'an average over a window',
    'SELECT avg(i) OVER (PARTITION BY k) FROM t WHERE k = 1 AND i < 3',
    [[1], [1]],
  ],
  ['whole numbers divide to whole numbers', 'SELECT 7 / 2', [[3]]],
  [
    'the last value that is none, both ways to say it',
    `SELECT k, i, last_value(x IGNORE NULLS) OVER (PARTITION BY k ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
      last_value(x) IGNORE NULLS OVER (PARTITION BY k ORDER BY i ROWS UNBOUNDED PRECEDING),
      first_value(x IGNORE NULLS) OVER (PARTITION BY k ORDER BY i DESC ROWS UNBOUNDED PRECEDING) FROM t ORDER BY k, i`,
    [
      [1, 1, 'a', 'a', 'b'],
      [1, 2, 'a', 'a', 'b'],
      [1, 3, 'b', 'b', 'b'],
      [1, 4, 'b', 'b', null],
      [2, 1, null, null, null],
    ],
  ],
  ['approximate counts', 'SELECT APPROXIMATE COUNT(DISTINCT k) FROM t', [[2]]],
  [
    'bytes',
    "SELECT to_hex(from_hex('00ff')), from_varbyte(to_varbyte('é', 'utf-8'), 'hex'), cast(from_hex('c3a9') AS varbyte(2)) = to_varbyte('é', 'utf8')",
    [['00ff', 'c3a9', true]],
  ],
  [
    'semi-structured values',
    `SELECT json_serialize(json_parse('{"a": [1]}')), json_typeof(json_parse('[]'))`,
    [['{"a":[1]}', 'array']],
  ],
  [
    'hashes and lengths',
    "SELECT sha2('a', 256) = sha2('a', 256), len('abc'), md5('a')",
    [[true, 3, '0cc175b9c0f1b6a831c399e269772661']],
  ],
  [
    'casts that may fail',
    `SELECT try_cast(x AS int), try_cast('12' AS smallint), try_cast('70000' AS smallint), try_cast('1.256' AS decimal(10, 2)),
      try_cast('2024-02-30' AS timestamp), try_cast(coalesce(x, 'nan') AS float8) FROM t WHERE k = 2`,
    [[null, 12, null, '1.26', null, NaN]],
  ],
  [
    'texts',
    "SELECT regexp_replace('a-b-c', '-', '+'), charindex('b', 'ab'), strtol('ff', 16), nvl2(x, 1, 2) FROM t WHERE k = 2",
    [['a+b+c', 2, 255, 2]],
  ],
  [
    'JSON that is none',
    `SELECT can_json_parse('[1'), can_json_parse('[1]'), is_valid_json('[1]'), is_valid_json('{"a": 1}')`,
    [[false, true, false, true]],
  ],
  ['long types', "SELECT 'a'::varchar(max), cast('b' AS text), 'c'::text", [['a', 'b', 'c']]],
  [
    'columns that WITH names',
    'WITH a (p, q) AS (SELECT 1, 2), b (r) AS (SELECT p FROM a) SELECT r FROM b',
    [[1]],
  ],
  ['trailing blanks, of CHAR only', "SELECT len(x), x = 'a', x = 'a   ' FROM padded", [[1, true, true]]],
  [
    'windows of rows',
    'SELECT sum(i) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING), row_number() OVER (ORDER BY i) FROM t WHERE k = 2',
    [[1, 1]],
  ],
  [
    'parts of dates',
    "SELECT date_part(epoch, timestamp '1970-01-01 00:00:10')::int, extract(year FROM date '2024-01-01')::int, date_trunc('day', timestamp '2024-01-01 10:00:00')",
    [[10, 2024, '2024-01-01 00:00:00.0']],
  ],
]

test.each(translated)('%s', async (_, sql, expected) => {
  expect(await rowsOf(client, sql)).toEqual(expected)
})

test('what Redshift has, the check of the dialect finds nothing wrong with but names that are not as they seem', async () => {
  const findings = await checkRedshiftSql(translated.map(([, sql]) => sql))
  expect(findings.filter((finding) => !finding.includes('folded to lower case'))).toEqual([])
  expect(findings).toHaveLength(3)
})

test('attributes of tables that say how they lie on nodes', async () => {
  const sqls = [
    'CREATE TEMP TABLE a (k int ENCODE az64 DISTKEY SORTKEY, x varchar(max) ENCODE lzo, s super, b varbyte(16)) DISTSTYLE KEY BACKUP NO',
    'CREATE TEMPORARY TABLE b DISTKEY (k) COMPOUND SORTKEY (k, i) AS SELECT k, i FROM t',
    'CREATE TEMP TABLE c DISTSTYLE ALL SORTKEY AUTO AS SELECT k FROM t',
  ]
  for (const sql of sqls) expect(await runStatement(client, sql)).toMatchObject({Status: 'FINISHED'})
})

/** What PostgreSQL takes and Redshift does not. Each is refused, and found by the check of the dialect. */
const refused: readonly (readonly [string, string])[] = [
  ['DISTINCT ON', 'SELECT DISTINCT ON (k) k FROM t'],
  ['FILTER', 'SELECT count(*) FILTER (WHERE i > 1) FROM t'],
  ['LATERAL', 'SELECT 1 FROM t, LATERAL (SELECT t.k) l'],
  ['array_agg', 'SELECT array_agg(k) FROM t'],
  ['string_agg', "SELECT string_agg(x, ',') FROM t"],
  ['generate_series', 'SELECT * FROM generate_series(1, 2)'],
  ['VALUES', 'SELECT * FROM (VALUES (1)) v (a)'],
  ['IS DISTINCT FROM', 'SELECT k IS DISTINCT FROM i FROM t'],
  ['IS DISTINCT FROM', 'SELECT k IS NOT DISTINCT FROM i FROM t'],
  ['ROWS frame', 'SELECT sum(i) OVER (ORDER BY i RANGE UNBOUNDED PRECEDING) FROM t'],
  ['ROWS frame', 'SELECT sum(i) OVER (ORDER BY i GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t'],
  ['ROWS frame', 'SELECT sum(i) OVER (ORDER BY i) FROM t'],
  ['ROWS frame', 'SELECT last_value(x) OVER (PARTITION BY k ORDER BY i) FROM t'],
  ['MATERIALIZED', 'WITH a AS MATERIALIZED (SELECT 1 AS n) SELECT n FROM a'],
  ['ON CONFLICT', 'INSERT INTO t VALUES (1, 1, NULL) ON CONFLICT DO NOTHING'],
  ['RETURNING', 'DELETE FROM t RETURNING k'],
  ['ARRAY', 'SELECT ARRAY[1, 2]'],
  ['type uuid', "SELECT 'd9b6c0c9-0747-4bf4-b142-e8883122f766'::uuid"],
  ['type jsonb', "SELECT cast('1' AS jsonb)"],
  ['now', 'SELECT now()'],
  ['current_timestamp', 'SELECT current_timestamp'],
  ['jsonb_build_object', "SELECT jsonb_build_object('a', 1)"],
  ['make_interval', 'SELECT make_interval(days => 1)'],
  ['ALL of EXCEPT', 'SELECT k FROM t EXCEPT ALL SELECT 1'],
  ['WINDOW', 'SELECT rank() OVER w FROM t WINDOW w AS (ORDER BY i)'],
  ['NULLS FIRST', 'SELECT row_number() OVER (ORDER BY x DESC NULLS LAST) FROM t'],
  ['alias', 'SELECT 1 FROM (SELECT k FROM t)'],
  ['unnest', "SELECT unnest(string_to_array('a,b', ','))"],
]

describe('what Redshift lacks', () => {
  test.each(refused)('%s is refused: %s', async (word, sql) => {
    const {Status, Error: message} = await runStatement(client, sql)
    expect(Status).toBe('FAILED')
    expect(message).toContain(word)
    expect(message).toContain('Redshift')
  })

  test('and is found by the check of the dialect', async () => {
    const findings = await checkRedshiftSql(refused.map(([, sql]) => sql))
    const missed = refused.filter(([, sql]) => !findings.some((finding) => finding.endsWith(` | ${sql}`)))
    expect(missed).toEqual([])
  })
})

test('the check of the dialect looks into UNLOAD', async () => {
  const to = "TO 's3://b/p/' IAM_ROLE default FORMAT AS PARQUET MANIFEST PARALLEL OFF MAXFILESIZE 64 MB"
  expect(
    await checkRedshiftSql([
      `UNLOAD ('SELECT k, ''a'' AS a FROM t') ${to}`,
      `UNLOAD ($$SELECT 1 AS n$$) ${to}`,
    ]),
  ).toEqual([])
  const findings = await checkRedshiftSql([
    `UNLOAD ('SELECT string_agg(x) FROM t') ${to}`,
    `UNLOAD ('SELECT k FROM t LIMIT 1') ${to}`,
    `UNLOAD ('SELECT 'a' AS a') ${to}`,
    `UNLOAD ('SELECT k FROM t') ${to} QUICKLY`,
    "UNLOAD ('SELECT k FROM t') TO 's3://b/p/' PARQUET",
    `UNLOAD ('SELECT k FROM t') TO 's3://b/_p' IAM_ROLE default PARQUET`,
    `SELECT '${'x'.repeat(102_400)}'`,
    'SELECT 1; SELECT 2',
    'SELECT a, FROM t',
    `SELECT "Folded" FROM t`,
  ])
  expect(findings.map((finding) => finding.split(' | ')[0])).toEqual([
    ...[
      'the function string_agg',
      'LIMIT in the outer SELECT of UNLOAD',
      expect.stringContaining('malformed'),
    ],
    ...[
      'an option that UNLOAD lacks: QUICKLY',
      'UNLOAD without IAM_ROLE',
      expect.stringContaining('begins with'),
    ],
    ...[expect.stringContaining('100 KB'), '2 statements in one text', 'a comma too many'],
    'a name that is folded to lower case: "Folded"',
  ])
})
