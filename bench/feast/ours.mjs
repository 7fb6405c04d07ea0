// Our side of the comparison: `ours.mjs materialize|read|frame FOLDER OPTIONS`, as repo.py is Feast's.
import {once} from 'node:events'
import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
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
  const online = redis === undefined ? '' : `online_store: {type: redis, connection_string: "${redis}"}\n`
  const limit =
    memoryLimit === undefined ? '' : `offline_store: {type: duckdb, memory_limit: ${memoryLimit}}\n`
  writeFileSync(join(repo, 'feature_store.yaml'), `project: bench\n${limit}${online}`)
  const schema = features.map((name) => `{name: ${name}, dtype: float64}`).join(', ')
  const view = (name) => `---
kind: data_source
name: ${name}_source
type: file
path: ${sourceFile(folder, name)}
timestamp_field: event_timestamp
created_timestamp_column: created
---
kind: feature_view
name: ${name}
entities: [driver]
source: ${name}_source
online: ${redis !== undefined}
${ttlDays === 0 ? '' : `ttl: ${ttlDays}d\n`}schema: [${schema}]
`
  writeFileSync(
    join(repo, 'features.yaml'),
    `kind: entity\nname: driver\njoin_keys: [{name: driver_id, value_type: int64}]\n${views.map(view).join('')}`,
  )
}
