// A first load of 5 M rows with 500 k keys and 10 doubles into the embedded store, against what it can't do without:
// DuckDB's query for the newest rows, alone, and the very same bytes put into LMDB. BENCH_SCALE=0.1 makes it smaller.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {features, writeDriverViews, writeSettings} from './lib/driver-repo.mjs'
import {count, inProcess, peakMegabytes, row, withDuckDb} from './lib/parts.mjs'
import {median} from './lib/whole-process.mjs'

const file = fileURLToPath(import.meta.url)
const scale = Number(process.env.BENCH_SCALE ?? '1')
const rows = Math.round(5_000_000 * scale)
const keys = Math.round(500_000 * scale)
const rounds = 3
/** As the embedded store writes them: the rows of one batch in one transaction. */
const putsInTransaction = 8192

const parts = {writeSource, load, queryNewest, putBytes}

const [part, folder] = process.argv.slice(2)
if (part === undefined) compare()
else console.log(JSON.stringify({...(await parts[part](folder)), peakMegabytes: peakMegabytes()}))

function compare() {
  const base = mkdtempSync(join(tmpdir(), 'fs-bench-materialize-'))
  try {
    inProcess(file, 'writeSource', base)
    const loads = []
    const queries = []
    const puts = []
    // In turn, so that a slow moment of the machine meets them all; the first round only warms the disk's cache.
    for (let round = 0; round <= rounds; round += 1) {
      const repo = mkdtempSync(join(base, 'repo-'))
      writeRepo(repo, base)
      const results = [
        inProcess(file, 'load', repo),
        inProcess(file, 'queryNewest', base),
        inProcess(file, 'putBytes', repo),
      ]
      if (round > 0) [loads, queries, puts].forEach((list, index) => list.push(results[index]))
      rmSync(repo, {recursive: true, force: true})
    }
    const [load, query, put] = [loads, queries, puts].map((list) => median(list.map((one) => one.seconds)))
    const peak = median(loads.map((one) => one.peakMegabytes))
    const name = `materialize ${count(rows)} rows, ${count(keys)} keys × ${features.length} to LMDB`
    row(
      name,
      `newest-row query (${seconds(query)}) + puts of the same bytes (${seconds(put)})`,
      seconds(load),
      `${(load / (query + put)).toFixed(2)}×`,
      '≤ 1.5×',
    )
    row(name, '—', `${Math.round(peak)} MB peak RSS`, '', '≤ 700 MB')
  } finally {
    rmSync(base, {recursive: true, force: true})
  }
}

async function writeSource(base) {
  const values = features.map(
    (name, index) => `hash(range * ${features.length} + ${index}) / 1.8e19 AS ${name}`,
  )
  await withDuckDb((connection) =>
    connection.run(`COPY (
      SELECT (hash(range) % ${keys})::BIGINT AS driver_id,
        TIMESTAMP '2024-01-01' + to_microseconds((hash(range + 1) % 8640000000000)::BIGINT) AS event_timestamp,
        ${values.join(', ')}
      FROM range(${rows})
    ) TO '${join(base, 'source.parquet')}' (FORMAT parquet)`),
  )
  return {}
}

/** The load alone: opening the repo and creating the online table are not in it. */
async function load(repo) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(repo)
  await store.apply()
  const start = performance.now()
  const run = await store.materializeIncremental()
  const taken = (performance.now() - start) / 1000
  await store.close()
  if (run.status !== 'ok') throw new Error(JSON.stringify(run.views))
  return {seconds: taken}
}

/** The usual query, with no rule for ties, its rows fetched and thrown away. */
async function queryNewest(base) {
  const packed = features.map((name) => `${name} := ${name}`).join(', ')
  return withDuckDb(async (connection) => {
    const start = performance.now()
    const result = await connection.stream(
      `SELECT driver_id, max(event_timestamp), arg_max(struct_pack(${packed}), event_timestamp)
       FROM '${join(base, 'source.parquet')}' GROUP BY driver_id`,
    )
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) break
    }
    return {seconds: (performance.now() - start) / 1000}
  })
}

/** Puts what the load left in its LMDB environment into a new one, in the same order. */
async function putBytes(repo) {
  const {open} = await import('lmdb')
  const options = {noSubdir: false, encoding: 'binary', keyEncoding: 'binary'}
  const written = open({path: join(repo, 'data/online/bench'), ...options, readOnly: true})
  const pairs = []
  for (const {key, value} of written.getRange()) pairs.push([Buffer.from(key), Buffer.from(value)])
  await written.close()
  if (pairs.length < keys * 0.99) throw new Error(`the load left ${pairs.length} rows of ${keys}`)

  const copy = open({path: join(repo, 'copy'), ...options})
  const start = performance.now()
  for (let from = 0; from < pairs.length; from += putsInTransaction) {
    await copy.transaction(() => {
      for (const [key, value] of pairs.slice(from, from + putsInTransaction)) copy.putSync(key, value)
    })
  }
  await copy.flushed
  const taken = (performance.now() - start) / 1000
  await copy.close()
  return {seconds: taken}
}

function writeRepo(repo, base) {
  writeSettings(repo)
  writeDriverViews(repo, [{name: 'stats', path: join(base, 'source.parquet')}])
}

function seconds(value) {
  return `${value.toFixed(2)} s`
}
