/** The credit-scoring example with its data in Redshift and its newest values in Redis or Cassandra: it answers as from files. */
import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {readParquet} from '../support/parquet.js'
import {RedisServer} from '../support/redis-server.js'
import {startRedshift, type RedshiftServer} from '../support/redshift-store.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'

const now = ['--now', '2021-09-01T00:00:00Z']
const online = [
  ...['get-online-features', '--feature-service', 'credit_scoring', ...now],
  ...['--entity', 'zipcode=94109,dob_ssn=19530219_5179', '--entity', 'zipcode=1,dob_ssn=nobody'],
]

let folder: string
let server: RedshiftServer
let redis: RedisServer
let cassandra: SharedCassandra
let local: string

/** All that a repo answers. */
async function answers(repo: string) {
  const at = ['-C', repo]
  await runFsJson(['apply', '--yes', ...at])
  const run = await runFsJson(['materialize-incremental', ...now, ...at])
  const again = await runFsJson(['materialize-incremental', ...now, ...at])
  const verified = await runFsJson(['verify', '--all', ...now, ...at])
  const service = ['--feature-service', 'credit_scoring']
  const frame = async (name: string, ...asked: string[]) => {
    const output = join(repo, 'data', name)
    await runFsJson(['get-historical-features', ...asked, ...service, '--output', output, ...at])
    return output
  }
  const file = ['--entities', join(local, 'data/loan_table.parquet')]
  const interval = ['--start', '2021-08-01', '--end', '2021-08-20']
  return {
    rows: (run['views'] as {name: string; rows: unknown}[]).map(({name, rows}) => ({name, rows})),
    again: (again['views'] as {rows: unknown}[]).map(({rows}) => rows),
    verified: (verified['views'] as object[]).map((view) => ({...view, newest: undefined})),
    parquet: await readParquet(await frame('training.parquet', ...file)),
    csv: readFileSync(await frame('training.csv', ...file), 'utf8'),
    interval: readFileSync(await frame('interval.csv', ...interval), 'utf8'),
    online: await runFsJson([...online, ...at]),
  }
}

/** The example's files as tables of the warehouse. */
async function loadTables(): Promise<void> {
  const duckDb = await DuckDBInstance.create()
  const connection = await duckDb.connect()
  for (const table of ['zipcode_table', 'credit_history', 'loan_table']) {
    const path = join(local, 'data', `${table}.parquet`)
    const columns = await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${path}'`)
    const declared = columns
      .getRows()
      .map(([name, type]) => `"${String(name)}" ${String(type).replace('DOUBLE', 'float8')}`)
    await server.database.query(`CREATE TABLE ${table} (${declared.join(', ')})`)
    const rows = await connection.runAndReadAll(`SELECT to_json(r)::VARCHAR FROM '${path}' AS r`)
    const json = `[${rows
      .getRows()
      .map(([row]) => String(row))
      .join(',')}]`
    await server.database.query(
      `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`,
      [json],
    )
  }
  connection.closeSync()
  duckDb.closeSync()
}

/** The same definitions over those tables. */
function warehouseRepo(name: string, onlineStore: string): string {
  const repo = join(folder, name)
  cpSync(local, repo, {
    recursive: true,
    filter: (path) => !/\/(online|registry\.json|snapshots|rejects)/.test(path),
  })
  const edit = (file: string, change: (text: string) => string): void =>
    writeFileSync(join(repo, file), change(readFileSync(join(repo, file), 'utf8')))
  edit('credit.ts', (text) =>
    text
      .replaceAll('fileSource', 'redshiftSource')
      .replace("path: 'data/credit_history.parquet'", "schema: 'public', table: 'credit_history'"),
  )
  edit('zipcode.yaml', (text) =>
    text.replace('type: file\npath: data/zipcode_table.parquet', 'type: redshift\ntable: zipcode_table'),
  )
  writeFileSync(
    join(repo, 'feature_store.yaml'),
    `project: ${name}
offline_store:
  type: redshift
  workgroup: analytics
  database: dev
  region: us-east-1
  s3_staging_location: s3://staging/fs
  iam_role: arn:aws:iam::123456789012:role/redshift
online_store: ${onlineStore}
`,
  )
  return repo
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-warehouse-'))
  local = join(folder, 'local')
  server = await startRedshift()
  redis = await RedisServer.start()
  cassandra = await sharedCassandra()
  const made = await runFs(['init', local, '--template', 'credit-scoring'])
  expect(made.code).toBe(0)
  await loadTables()
})
afterAll(async () => {
  await cassandra[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true})
})

describe('the example on the warehouse', () => {
  test('answers as from files, with Redis and with Cassandra, to the last byte of a frame', async () => {
    const expected = await answers(local)
    expect(expected.parquet.rows).toHaveLength(1500)
    const stores = {
      on_redis: `{type: redis, connection_string: "127.0.0.1:${redis.port}"}`,
      on_cassandra: `{type: cassandra, hosts: ["${cassandra.host}:${cassandra.port}"], keyspace: ${cassandra.keyspace}, load_balancing: {local_dc: ${cassandra.datacenter}}, consistency: {read: ONE, write: ONE}}`,
    }
    for (const [name, store] of Object.entries(stores)) {
      const found = await answers(warehouseRepo(name, store))
      expect(found.online).toEqual(expected.online)
      expect(found.rows).toEqual(expected.rows)
      expect(found.again).toEqual(expected.again)
      expect(found.verified).toEqual(expected.verified)
      expect(found.parquet).toEqual(expected.parquet)
      expect(found.csv === expected.csv).toBe(true)
      expect(found.interval === expected.interval).toBe(true)
    }
  })
})
