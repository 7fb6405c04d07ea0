// 10 M rows with as many keys and 5 doubles, from the stand-in for Redshift through S3 into Redis and into a training frame: how
// much memory the process takes that moves them. What the stand-in takes says nothing of Redshift, so its time is not shown. It needs
// `npm run services:up`. BENCH_SCALE=0.1 makes it smaller.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {CreateBucketCommand, S3Client} from '@aws-sdk/client-s3'
import pg from 'pg'
import {awsPort, postgresPort} from '../scripts/services/ports.mjs'
import {count, inProcess, peakMegabytes, row} from './lib/parts.mjs'
import {startRedis} from './lib/redis-server.mjs'

const file = fileURLToPath(import.meta.url)
const rows = Math.round(10_000_000 * Number(process.env.BENCH_SCALE ?? '1'))
const bucket = 'fs-bench'

const [part, folder] = process.argv.slice(2)
if (part === undefined) await compare()
else {
  const done = await {load, frame}[part](folder)
  console.log(JSON.stringify({...done, peakMegabytes: peakMegabytes()}))
}

async function compare() {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${awsPort}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  })
  const s3 = new S3Client({forcePathStyle: true})
  await s3.send(new CreateBucketCommand({Bucket: bucket}))
  s3.destroy()
  const database = new pg.Client({connectionString: `postgres://fs@127.0.0.1:${postgresPort}/dev`})
  await database.connect()
  const redis = await startRedis()
  const repo = mkdtempSync(join(tmpdir(), 'fs-bench-redshift-'))
  try {
    await database.query('DROP TABLE IF EXISTS fs_bench')
    await database.query(`CREATE TABLE fs_bench AS SELECT n::int8 AS driver_id,
      timestamp '2024-01-01' + n * interval '1 second' AS event_timestamp,
      ${Array.from({length: 5}, (_, index) => `random() AS f${index}`).join(', ')}
      FROM generate_series(1, ${rows}) AS numbers (n)`)
    writeRepo(repo, redis.port)
    const {seconds, written, peakMegabytes: peak} = inProcess(file, 'load', repo)
    if (written !== rows || (await redis.client.dbsize()) < rows)
      throw new Error(`${written} of ${rows} rows were written`)
    row(
      `materialize ${count(rows)} rows, ${count(rows)} keys × 5 from the stand-in for Redshift to Redis (${Math.round(seconds)} s there)`,
      '—',
      `${Math.round(peak)} MB peak RSS`,
      '',
      '≤ 600 MB',
    )
    const framed = inProcess(file, 'frame', repo)
    if (framed.written !== rows) throw new Error(`${framed.written} of ${rows} rows are in the frame`)
    row(
      `frame of an interval, ${count(rows)} entity rows × 5 features (${Math.round(framed.seconds)} s there)`,
      '—',
      `${Math.round(framed.peakMegabytes)} MB peak RSS`,
      '',
      '≤ 600 MB',
    )
  } finally {
    await database.query('DROP TABLE IF EXISTS fs_bench')
    await database.end()
    redis.close()
    rmSync(repo, {recursive: true, force: true})
  }
}

function writeRepo(repo, redisPort) {
  writeFileSync(
    join(repo, 'feature_store.yaml'),
    `project: bench
offline_store: {type: redshift, workgroup: bench, database: dev, region: us-east-1, s3_staging_location: "s3://${bucket}/staging", iam_role: default}
online_store: {type: redis, connection_string: "127.0.0.1:${redisPort}"}
`,
  )
  writeFileSync(
    join(repo, 'features.yaml'),
    `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: drivers
type: redshift
table: fs_bench
timestamp_field: event_timestamp
---
kind: feature_view
name: stats
entities: [driver]
source: drivers
`,
  )
}

async function load(repo) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(repo)
  await store.apply()
  const start = performance.now()
  const run = await store.materializeIncremental()
  await store.close()
  if (run.status !== 'ok') throw new Error(JSON.stringify(run.views))
  return {seconds: (performance.now() - start) / 1000, written: Number(run.views[0].rows.written)}
}

async function frame(repo) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(repo)
  const start = performance.now()
  const job = await store.getHistoricalFeatures({
    start: BigInt(Date.UTC(2023, 11, 31)) * 1000n,
    end: BigInt(Date.UTC(2100, 0, 1)) * 1000n,
    features: Array.from({length: 5}, (_, index) => `stats:f${index}`),
  })
  const {rows: written} = await job.writeFile(join(repo, 'frame.parquet'), 'parquet')
  await job[Symbol.asyncDispose]()
  await store.close()
  return {seconds: (performance.now() - start) / 1000, written: Number(written)}
}
