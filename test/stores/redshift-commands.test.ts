/** Commands over Redshift that are stopped or killed half-way: what they leave, and how the next ones go on. */
import {spawn, type ChildProcess} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {ListObjectsV2Command} from '@aws-sdk/client-s3'
import {afterAll, afterEach, beforeAll, expect, test, vi} from 'vitest'
import {startRedshift, type RedshiftServer} from '../support/redshift-store.js'
import {fsBin, runFs, runFsJson} from '../support/run-fs.js'

const now = ['--now', '2024-01-02T00:00:00Z']
let server: RedshiftServer
let repo: string

beforeAll(async () => {
  server = await startRedshift()
  repo = mkdtempSync(join(tmpdir(), 'fs-redshift-repo-'))
  mkdirSync(join(repo, 'temporary'))
  await server.database.query(`CREATE TABLE drivers AS SELECT n::int8 AS driver_id,
    timestamp '2024-01-01' + n * interval '1 second' AS happened, n::int8 AS trips FROM generate_series(1, 5000) AS numbers (n)`)
  writeFileSync(
    join(repo, 'feature_store.yaml'),
    `project: rides
offline_store:
  {type: redshift, workgroup: analytics, database: dev, region: us-east-1, s3_staging_location: "s3://staging/fs", iam_role: default}
`,
  )
  writeFileSync(
    join(repo, 'features.yaml'),
    `{kind: entity, name: driver, join_keys: [{name: driver_id, value_type: int64}]}
---
{kind: data_source, name: drivers, type: redshift, table: drivers, timestamp_field: happened}
---
{kind: feature_view, name: stats, entities: [driver], source: drivers}
`,
  )
  await runFsJson(['apply', '--yes', '-C', repo])
})
afterEach(() => server.aws.heal())
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(repo, {recursive: true})
})

const load = ['materialize-incremental', ...now]
const frame = ['get-historical-features', '--start', '2024-01-01', '--end', '2024-01-02', '--features']

/** Starts `fs`, with a folder of its own for temporary files. */
function begin(args: readonly string[]): {
  readonly child: ChildProcess
  readonly code: Promise<number | null>
} {
  const child = spawn(process.execPath, [fsBin, ...args, '-C', repo], {
    env: {...process.env, TMPDIR: join(repo, 'temporary')},
    stdio: 'ignore',
  })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {child, code}
}

async function staged(): Promise<readonly string[]> {
  const {Contents = []} = await server.aws.s3.send(new ListObjectsV2Command({Bucket: 'staging'}))
  return Contents.map(({Key = ''}) => Key)
}

const told = async (beginning: string): Promise<number> =>
  (await server.aws.statements()).filter((sql) => sql.startsWith(beginning)).length
const calls = async (name: string): Promise<number> => (await server.aws.calls())[name] ?? 0
const wait = (condition: () => Promise<boolean>) => vi.waitUntil(condition, {timeout: 20_000, interval: 50})

test.each([
  ['load', () => load, 'UNLOAD'],
  ['look at the source', () => load, 'SELECT "rows"'],
  ['frame', () => [...frame, 'stats:trips', '--output', join(repo, 'stopped.parquet')], 'UNLOAD'],
])('Ctrl-C in a %s cancels the statement, and nothing is left', async (_, args, statement) => {
  await server.aws.faults([{operation: 'Redshift.Statement', path: statement, delayMillis: 20_000}])
  const [submitted, cancels] = [await told(statement), await calls('RedshiftData.CancelStatement')]
  const {child, code} = begin(args())
  await wait(async () => (await told(statement)) > submitted)
  child.kill('SIGINT')
  expect(await code).toBe(130)
  expect(await calls('RedshiftData.CancelStatement')).toBe(cancels + 1)
  expect(await staged()).toEqual([])
  expect(readdirSync(join(repo, 'temporary'))).toEqual([])
})

test('a load that was killed leaves objects below its prefix, which cleanup removes; the next one loads all', async () => {
  await server.aws.faults([{operation: 'S3.GetObject', path: '.parquet', delayMillis: 30_000}])
  const fetches = await calls('S3.GetObject')
  const {child, code} = begin(load)
  // The manifest, and then the first part.
  await wait(async () => (await calls('S3.GetObject')) >= fetches + 2)
  child.kill('SIGKILL')
  expect(await code).toBe(null)
  const left = await staged()
  expect(left.length).toBeGreaterThan(1)
  for (const key of left) expect(key).toMatch(/^fs\/fs-run-[0-9a-f-]{36}\//)
  await server.aws.heal()
  const {views} = (await runFsJson([...load, '-C', repo])) as {views: {rows: {written: number}}[]}
  expect(views[0]?.rows.written).toBe(5000)
  expect(await staged()).toEqual(left)
  expect(await runFsJson(['cleanup', '-C', repo])).toMatchObject({objects: 0})
  expect(await runFsJson(['cleanup', '--older-than', '0s', '-C', repo])).toMatchObject({
    ...{runs: 1, objects: left.length, removed: true},
  })
  expect(await staged()).toEqual([])
})

test('the SQL of entity rows runs once for a frame', async () => {
  const sql =
    "SELECT driver_id, happened AS event_timestamp, 'once' AS said FROM drivers WHERE driver_id <= 3"
  const before = (await server.aws.statements()).length
  await runFsJson([
    ...['get-historical-features', '--entity-sql', sql, '--features', 'stats:trips'],
    ...['--output', join(repo, 'data/once.csv'), '-C', repo],
  ])
  const naming = (await server.aws.statements()).slice(before).filter((one) => /once/.test(one))
  // The first tells its columns alone.
  expect(naming.map((one) => /LIMIT 0$/.test(one))).toEqual([true, false])
})

test.each([
  [
    'iam_role: my-role',
    /`offline_store.iam_role` is `my-role`. Expected the ARN of a role, or default.\s+at feature_store\.yaml:3:/,
  ],
  ['iam_role: "arn:aws:iam::123456789012:role/a\'b"', /feature_store\.yaml:3:\d+/],
  ['iam_role: default, cluster_id: one', /it names both `cluster_id` and `workgroup`/],
  [
    'iam_role: default, s3_staging_location: "s3://Bad Name/fs"',
    /`s3_staging_location` s3:\/\/Bad Name\/fs names no bucket/,
  ],
])('settings that make no sense are told once: %s', async (settings, message) => {
  const directory = mkdtempSync(join(repo, '.settings-'))
  const staging = settings.includes('s3_staging') ? '' : 's3_staging_location: "s3://staging/fs", '
  writeFileSync(
    join(directory, 'feature_store.yaml'),
    `project: rides
offline_store:
  {type: redshift, workgroup: analytics, database: dev, region: us-east-1, ${staging}${settings}}
`,
  )
  writeFileSync(
    join(directory, 'sources.yaml'),
    ['one', 'two']
      .map(
        (name) =>
          `{kind: data_source, name: ${name}, type: redshift, table: drivers, timestamp_field: happened}`,
      )
      .join('\n---\n'),
  )
  const {code, stderr} = await runFs(['validate', '-C', directory])
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
  expect(stderr.match(/FS_CONFIG_INVALID/g)).toHaveLength(1)
  const doctor = await runFs(['doctor', '-C', directory])
  expect(doctor).toMatchObject({code: 1, stderr: ''})
})

test('of a table of the Glue catalog apply prints how its schema is made, then plan warns of other types', async () => {
  const directory = mkdtempSync(join(repo, '.lake-'))
  const settings = readFileSync(join(repo, 'feature_store.yaml'), 'utf8')
  writeFileSync(
    join(directory, 'feature_store.yaml'),
    settings.replace('iam_role: default', 'iam_role: default, external_schema: lake'),
  )
  writeFileSync(
    join(directory, 'features.yaml'),
    `{kind: entity, name: driver, join_keys: [{name: driver_id, value_type: int64}]}
---
{kind: data_source, name: trips, type: glue, database: rides, table: trips, timestamp_field: happened}
---
{kind: feature_view, name: stats, entities: [driver], source: trips, schema: [{name: trips, dtype: int64}]}
`,
  )
  const refused = await runFs(['apply', '--yes', '-C', directory])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/features\.yaml:3:\d+: data_source\/trips: .*no external schema `lake`/)
  expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
    `Make it by: CREATE EXTERNAL SCHEMA "lake" FROM DATA CATALOG DATABASE 'rides' IAM_ROLE default;`,
  )
  await server.database.query(`CREATE SCHEMA lake;
    CREATE TABLE lake.trips (driver_id int8, happened timestamp, trips int4);
    INSERT INTO redshift.svv_external_schemas VALUES ('lake', 'rides')`)
  const {warnings} = (await runFsJson(['plan', '-C', directory])) as {warnings: readonly string[]}
  expect(warnings).toEqual([
    expect.stringMatching(/feature_view\/stats: `trips` is declared as int64, and the catalog says int32/),
  ])
})
