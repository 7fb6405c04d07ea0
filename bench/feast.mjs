// The same work done by Feast, on the same data, beside it in time: newest values into Redis, and a training frame. What
// both made is checked by one oracle before anything is said of it. `npm run bench -- --peer feast`; BENCH_SCALE=0.01
// makes it small. Needs Python 3.11 and redis-server; Feast is installed into an environment of its own.
import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {
  days,
  entitiesFile,
  features,
  sourceFile,
  startMicros,
  writeEntities,
  writeSource,
} from './feast/data.mjs'
import {feastPython, feastVersion} from './feast/environment.mjs'
import {askedRows, frameRows, newestAt, rowsByKey} from './feast/oracle.mjs'
import {measureProcess} from './lib/measured-process.mjs'
import {count, row} from './lib/parts.mjs'
import {startRedis} from './lib/redis-server.mjs'
import {median} from './lib/whole-process.mjs'

const scale = Number(process.env.BENCH_SCALE ?? '1')
const rounds = Number(process.env.BENCH_ROUNDS ?? '2')
const keys = Math.round(500_000 * scale)
const loadedRows = keys * 10
const [frameEntities, frameSourceRows] = [keys * 2, keys * 20]
const sampled = Math.min(1000, keys)
const noValues = features.map(() => null)
const ttlDays = 7
const dayMicros = 86_400_000_000
const between = [startMicros - dayMicros, startMicros + (days + 1) * dayMicros]

const python = feastPython()
const sides = {ours: [process.execPath, 'ours.mjs'], feast: [python, 'repo.py']}

const folder = mkdtempSync(join(tmpdir(), 'fs-bench-feast-'))
try {
  await compareLoads()
  await compareFrames()
} finally {
  rmSync(folder, {recursive: true, force: true})
}

async function compareLoads() {
  await writeSource(sourceFile(folder, 'a'), {rows: loadedRows, keys, seed: 1})
  flushDisk()
  const latest = {pull_latest_features: true, online_write_batch_size: 10_000}
  const ways = [
    {name: 'as it ships', side: 'ours'},
    {name: 'default store', side: 'feast', offline: 'dask'},
    {name: 'DuckDB store', side: 'feast', offline: 'duckdb'},
    {
      name: 'DuckDB store, newest rows only, in batches',
      side: 'feast',
      offline: 'duckdb',
      materialization: latest,
      isTuned: true,
    },
  ]
  const redis = await startRedis()
  const results = await inTurn(ways, async (way) => {
    await redis.client.flushall()
    const options = {...way, views: ['a'], ttlDays: 0, redis: redis.address, between}
    const measured = await side(way.side, 'materialize', options)
    return {...measured, wrong: await wrongKeys(way.side, options)}
  }).finally(redis.close)
  tell(`materialize ${count(loadedRows)} rows, ${count(keys)} keys × 10 to Redis`, results, {
    faster: 15,
    smaller: 8,
  })
}

async function compareFrames() {
  const views = ['a', 'b']
  for (const [seed, view] of views.entries())
    await writeSource(sourceFile(folder, view), {rows: frameSourceRows, keys, seed: seed + 1})
  await writeEntities(entitiesFile(folder), {rows: frameEntities, keys})
  flushDisk()
  const ways = [
    {name: 'as it ships', side: 'ours'},
    {name: 'memory_limit 600MB', side: 'ours', memoryLimit: '600MB'},
    {name: 'DuckDB store, to a DataFrame', side: 'feast', offline: 'duckdb', form: 'frame'},
    {name: 'DuckDB store, to Parquet', side: 'feast', offline: 'duckdb', form: 'parquet'},
  ]
  const results = await inTurn(ways, async (way) => {
    const output = join(folder, 'frame.parquet')
    rmSync(output, {recursive: true, force: true})
    const measured = await side(way.side, 'frame', {...way, views, ttlDays, output})
    return {...measured, wrong: await wrongFrameRows(output, views)}
  })
  tell(`frame of ${count(frameEntities)} rows × 2 views × ${count(frameSourceRows)} rows × 10`, results, {
    faster: 2,
    smaller: 2,
  })
}

/** So that the first way does not pay for what was written to be read by all. */
function flushDisk() {
  spawnSync('sync')
}

/** Medians of each way, taken in turn, so that a slow moment of the machine meets them all. */
async function inTurn(ways, measure) {
  const results = ways.map(() => [])
  for (let round = 0; round < rounds; round += 1)
    for (const [index, way] of ways.entries()) {
      const result = await measure(way)
      const {seconds, peakMegabytes, wrong} = result
      console.error(
        `  ${way.side}, ${way.name}: ${shownSeconds(seconds)}, ${shownMegabytes(peakMegabytes)}, ${wrong} wrong`,
      )
      if (way.side === 'ours' && wrong > 0) throw new Error(`${wrong} of ${sampled} are wrong`)
      results[index].push(result)
    }
  return ways.map(({name, side, isTuned = false}, index) => ({
    name,
    side,
    isTuned,
    seconds: median(results[index].map((one) => one.seconds)),
    megabytes: median(results[index].map((one) => one.peakMegabytes)),
    wrong: Math.max(...results[index].map((one) => one.wrong)),
  }))
}

/** Two rows for each of our ways and each of Feast's; the aims are against the best of those that it has without settings. */
function tell(what, results, aims) {
  const theirs = results.filter(({side}) => side === 'feast')
  const ours = results.filter(({side}) => side === 'ours')
  for (const way of ours) tellOne(ours.length === 1 ? what : `${what}, ${way.name}`, way, theirs, aims)
}

function tellOne(what, ours, theirs, {faster, smaller}) {
  const plain = theirs.filter(({isTuned}) => !isTuned)
  const quickest = Math.min(...plain.map((one) => one.seconds))
  const smallest = Math.min(...plain.map((one) => one.megabytes))
  for (const {name, seconds, megabytes, wrong} of theirs) {
    const peer = `Feast ${feastVersion}, ${name}${wrong === 0 ? '' : `, ${wrong} of ${count(sampled)} wrong`}`
    row(
      what,
      `${peer} (${shownSeconds(seconds)})`,
      shownSeconds(ours.seconds),
      `${(seconds / ours.seconds).toFixed(1)}× faster`,
      seconds === quickest ? `≥ ${faster}×` : '',
    )
    row(
      what,
      `${peer} (${shownMegabytes(megabytes)})`,
      `${shownMegabytes(ours.megabytes)} peak`,
      `1/${(megabytes / ours.megabytes).toFixed(1)}`,
      megabytes === smallest ? `≤ 1/${smaller}` : '',
    )
  }
}

/** One part of one side, in a process of its own. */
function side(name, verb, options) {
  const [command, file] = sides[name]
  return measureProcess(
    command,
    [fileURLToPath(new URL(`feast/${file}`, import.meta.url)), verb, folder, JSON.stringify(options)],
    {
      env: {...process.env, FEAST_USAGE: 'False', TQDM_DISABLE: '1'},
    },
  )
}

/** How many keys of a sample read back otherwise than the oracle says. */
async function wrongKeys(name, options) {
  const asked = sampleOf(keys)
  const {rows} = await side(name, 'read', {...options, keys: asked})
  const sources = await rowsByKey(sourceFile(folder, 'a'), asked)
  return asked.filter((key, index) => !isSame(rows[index], newestAt(sources.get(key), Infinity))).length
}

/** How many rows of a sample are missing, there twice, or other than the oracle says. */
async function wrongFrameRows(output, views) {
  const rowIds = sampleOf(frameEntities)
  const asked = await askedRows(entitiesFile(folder), rowIds)
  const found = await frameRows(output, views, rowIds)
  const sourceKeys = [...new Set(asked.map(({key}) => key))]
  const sources = []
  for (const view of views) sources.push(await rowsByKey(sourceFile(folder, view), sourceKeys))
  return asked.filter(({rowId, key, atMicros}) => {
    const [values, ...others] = found.get(rowId)
    const right = sources.flatMap(
      (source) => newestAt(source.get(key), atMicros, ttlDays * dayMicros) ?? noValues,
    )
    return others.length > 0 || !isSame(values, right)
  }).length
}

/** Of 0 to `of` - 1: spread by a prime, so that no pattern of the data is missed or met each time. */
function sampleOf(of) {
  return Array.from({length: sampled}, (_, index) => (index * 104_729 + 17) % of)
}

function isSame(values, right = noValues) {
  return values !== undefined && right.every((value, index) => values[index] === value)
}

function shownSeconds(seconds) {
  return `${seconds.toFixed(2)} s`
}

function shownMegabytes(megabytes) {
  return `${Math.round(megabytes)} MB`
}
