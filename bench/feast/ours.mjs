// Our side of the comparison: `ours.mjs materialize|read|frame FOLDER OPTIONS`, as repo.py is Feast's.
import {once} from 'node:events'
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {writeDriverViews, writeSettings} from '../lib/driver-repo.mjs'
import {entitiesFile, features, sourceFile} from './data.mjs'

const [verb, folder, options] = process.argv.slice(2)
const {views, ttlDays, memoryLimit, redis, output, keys, between} = JSON.parse(options)
const repo = join(folder, 'ours')
mkdirSync(repo, {recursive: true})
writeRepo()
const {FeatureStore} = await import('../../dist/index.js')
const store = await FeatureStore.open(repo)
await store.apply()
console.log(JSON.stringify(await {materialize, read, frame}[verb]()))
await once(process.stdin, 'data')
await store.close()

async function materialize() {
  const [start, end] = between.map(BigInt)
  const began = performance.now()
  const run = await store.materialize({start, end})
  const seconds = (performance.now() - began) / 1000
  if (run.status !== 'ok') throw new Error(run.views[0].error?.message ?? run.status)
  return {seconds}
}

async function read() {
  const answer = await store.getOnlineFeatures({
    entities: keys.map((key) => ({driver_id: key})),
    features: features.map((name) => `${views[0]}:${name}`),
  })
  return {rows: answer.toRows().map((row) => features.map((name) => row[name]))}
}

async function frame() {
  const began = performance.now()
  const job = await store.getHistoricalFeatures({
    entities: entitiesFile(folder),
    features: views,
    fullFeatureNames: true,
  })
  await job.writeFile(output, 'parquet')
  const seconds = (performance.now() - began) / 1000
  await job[Symbol.asyncDispose]()
  return {seconds}
}

function writeRepo() {
  writeSettings(repo, {
    ...(memoryLimit === undefined ? {} : {offline_store: {type: 'duckdb', memory_limit: memoryLimit}}),
    ...(redis === undefined ? {} : {online_store: {type: 'redis', connection_string: redis}}),
  })
  writeDriverViews(
    repo,
    views.map((name) => ({
      name,
      path: sourceFile(folder, name),
      created: 'created',
      online: redis !== undefined,
      ...(ttlDays === 0 ? {} : {ttl: `${ttlDays}d`}),
    })),
  )
}
