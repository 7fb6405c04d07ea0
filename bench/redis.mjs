// A first load of 1 M keys × 10 doubles into Redis, guarded row by row, against redis-benchmark's pipelined SET of the
// same bytes by one client; and reads through the SDK against one raw command of ioredis. BENCH_SCALE=0.1 makes it
// smaller. Client and server share the machine.
import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {count, quantile, row, withDuckDb} from './lib/parts.mjs'
import {startRedis} from './lib/redis-server.mjs'
import {median} from './lib/whole-process.mjs'

const scale = Number(process.env.BENCH_SCALE ?? '1')
const keys = Math.round(1_000_000 * scale)
const rounds = 3
const views = ['a', 'b', 'c']
const features = Array.from({length: 10}, (_, index) => `f${index}`)

const base = mkdtempSync(join(tmpdir(), 'fs-bench-redis-'))
const {port, client, close} = await startRedis()
try {
  await writeSources()
  await loads()
  await reads()
} finally {
  close()
  rmSync(base, {recursive: true, force: true})
}

async function loads() {
  for (const [name, ttl, aim] of [
    ['kept for ever', undefined, '≥ 0.75×'],
    ['with expiry', '36500d', '≥ 0.4×'],
  ]) {
    const [ours, plain] = [[], []]
    for (let round = 0; round <= rounds; round += 1) {
      await client.flushall()
      const rates = [await load(ttl), pipelinedSets(await rowBytes())]
      if (round > 0) [ours, plain].forEach((list, index) => list.push(rates[index]))
    }
    const [rate, sets] = [median(ours), median(plain)]
    row(
      `materialize ${count(keys)} keys × 10 to Redis, guarded, ${name}, query included`,
      `redis-benchmark SET -P 500 (${thousands(sets)})`,
      thousands(rate),
      `${(rate / sets).toFixed(2)}×`,
      aim,
    )
  }
}

/** Rows a second, from the start of the run to its end. */
async function load(ttl) {
  writeRepo(views.slice(0, 1), ttl)
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(base)
  await store.apply()
  const start = performance.now()
  const run = await store.materializeIncremental()
  const seconds = (performance.now() - start) / 1000
  await store.close()
  rmSync(join(base, 'data'), {recursive: true})
  if (run.status !== 'ok' || run.views[0].rows.written !== keys)
    throw new Error(
      `${run.status}: ${JSON.stringify(run.views[0].rows)} ${run.views[0].error?.message ?? ''}`,
    )
  return keys / seconds
}

async function rowBytes() {
  const [, [key]] = await client.scanBuffer('0', 'MATCH', 'fs:bench:*', 'COUNT', 1000)
  return client.strlen(key)
}

function pipelinedSets(bytes) {
  const load = ['-n', keys, '-d', bytes, '-r', keys, '-c', '1', '-P', '500', '-q']
  const {stdout} = spawnSync('redis-benchmark', ['-p', port, '-t', 'set', ...load.map(String)], {
    encoding: 'utf8',
  })
  return Number(/([\d.]+) requests per second/.exec(stdout)[1])
}

async function reads() {
  await client.flushall()
  writeRepo(views, undefined)
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(base)
  await store.apply()
  await store.materializeIncremental()
  const asked = views.flatMap((view) => features.map((name) => `view_${view}:${view}_${name}`))
  for (const [entities, aim] of [
    [1, '≤ 1.3×'],
    [100, '≤ 1.5×'],
  ]) {
    const ids = (index) =>
      Array.from({length: entities}, (_, at) => ({driver_id: (index * entities + at) % keys}))
    const rowKeys = await client.keysBuffer('fs:bench:{*')
    const sample = rowKeys.slice(0, entities * views.length)
    const [sdk, raw] = [[], []]
    for (let index = 0; index < 4000; index += 1) {
      const start = performance.now()
      const answer = await store.getOnlineFeatures({
        entities: ids(index),
        features: asked,
        fullFeatureNames: true,
      })
      if (answer.toRows().length !== entities) throw new Error('rows are missing')
      const between = performance.now()
      await client.mgetBuffer(...sample)
      if (index >= 500) {
        sdk.push(between - start)
        raw.push(performance.now() - between)
      }
    }
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ]) {
      const [ours, plain] = [quantile(sdk, share), quantile(raw, share)]
      row(
        `online read, ${count(entities)} ${entities === 1 ? 'entity' : 'entities'} × 3 views × 10 features, Redis, SDK, ${name}`,
        `one raw MGET (${plain.toFixed(3)} ms)`,
        `${ours.toFixed(3)} ms`,
        `${(ours / plain).toFixed(2)}×`,
        aim,
      )
    }
  }
  await store.close()
}

async function writeSources() {
  await withDuckDb(async (connection) => {
    for (const [at, view] of views.entries()) {
      const rows = at === 0 ? keys : Math.min(keys, 20_000)
      const values = features.map(
        (name, index) => `hash(range * 10 + ${index + at}) / 1.8e19 AS ${view}_${name}`,
      )
      await connection.run(`COPY (SELECT range AS driver_id, TIMESTAMP '2024-01-01' + to_seconds(range % 1000) AS event_timestamp,
        ${values.join(', ')} FROM range(${rows})) TO '${join(base, `${view}.parquet`)}' (FORMAT parquet)`)
    }
  })
}

function writeRepo(used, ttl) {
  writeFileSync(
    join(base, 'feature_store.yaml'),
    `project: bench\nonline_store: {type: redis, connection_string: "127.0.0.1:${port}"}\n`,
  )
  const view = (name) => `---
kind: data_source
name: ${name}
type: file
path: ${name}.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: view_${name}
entities: [driver]
source: ${name}
${ttl === undefined ? '' : `ttl: ${ttl}\n`}schema: [${features.map((one) => `{name: ${name}_${one}, dtype: float64}`).join(', ')}]
`
  writeFileSync(
    join(base, 'features.yaml'),
    `kind: entity\nname: driver\njoin_keys: [{name: driver_id, value_type: int64}]\n${used.map(view).join('')}`,
  )
}

function thousands(rate) {
  return `${Math.round(rate / 1000)} k rows/s`
}
