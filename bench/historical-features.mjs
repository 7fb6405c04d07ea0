// A training frame of 1 M entity rows over two views of 10 M rows with 10 doubles each, Parquet to Parquet, against the
// plain two-ASOF query (no tie-break, no ttl, no order) and, at a tenth of the size, against the textbook form: a range
// join with row_number. How that one does depends on how many rows a key has, so it is tried with few and with many.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {count, inProcess, peakMegabytes, row, withDuckDb} from './lib/parts.mjs'
import {median} from './lib/whole-process.mjs'

const file = fileURLToPath(import.meta.url)
const scale = Number(process.env.BENCH_SCALE ?? '1')
const rounds = 3
const fewRowsOfKey = 20
const views = ['a', 'b']
const features = (view) => Array.from({length: 10}, (_, index) => `${view}${index}`)

const parts = {writeSources, frame, asOf, textbook}
const [part, folder, ...sizes] = process.argv.slice(2)
if (part === undefined) compare()
else
  console.log(
    JSON.stringify({...(await parts[part](folder, ...sizes.map(Number))), peakMegabytes: peakMegabytes()}),
  )

function compare() {
  const base = mkdtempSync(join(tmpdir(), 'fs-bench-frame-'))
  try {
    const entities = Math.round(1_000_000 * scale)
    inProcess(file, 'writeSources', base, entities, fewRowsOfKey)
    const [ours, plain] = inTurn(base, ['frame', 'asOf'])
    const name = `frame of ${count(entities)} rows × 2 views × ${count(entities * 10)} rows × 10`
    row(
      name,
      `two ASOF joins (${ours.shown(plain.seconds)})`,
      ours.shown(ours.seconds),
      `${(ours.seconds / plain.seconds).toFixed(2)}×`,
      '≤ 1.2×',
    )
    row(
      name,
      `two ASOF joins (${Math.round(plain.peak)} MB)`,
      `${Math.round(ours.peak)} MB peak RSS`,
      `${(ours.peak / plain.peak).toFixed(2)}×`,
      '≤ 0.5×',
    )

    const tenth = Math.round(entities / 10)
    for (const rowsOfKey of [fewRowsOfKey, 1000]) {
      inProcess(file, 'writeSources', base, tenth, rowsOfKey)
      const [small, slow] = inTurn(base, ['frame', 'textbook'])
      row(
        `frame of ${count(tenth)} rows × 2 views × ${count(tenth * 10)} rows × 10, ${count(rowsOfKey)} rows a key`,
        `range join + row_number (${small.shown(slow.seconds)})`,
        small.shown(small.seconds),
        `${(slow.seconds / small.seconds).toFixed(1)}× faster`,
        '≥ 4×',
      )
    }
  } finally {
    rmSync(base, {recursive: true, force: true})
  }
}

/** Medians; in turn, so that a slow moment of the machine meets them all. The first round only warms the disk's cache. */
function inTurn(base, names) {
  const results = names.map(() => [])
  for (let round = 0; round <= rounds; round += 1) {
    names.forEach((name, index) => {
      const result = inProcess(file, name, base)
      if (round > 0) results[index].push(result)
    })
  }
  return results.map((list) => ({
    seconds: median(list.map((one) => one.seconds)),
    peak: median(list.map((one) => one.peakMegabytes)),
    shown: (seconds) => `${seconds.toFixed(2)} s`,
  }))
}

async function writeSources(base, entities, rowsOfKey) {
  const keys = Math.max(1, Math.round((entities * 10) / rowsOfKey))
  const time = (seed) =>
    `TIMESTAMP '2024-01-01' + to_microseconds((hash(range + ${seed}) % 8640000000000)::BIGINT)`
  await withDuckDb(async (connection) => {
    for (const [index, view] of views.entries()) {
      const values = features(view).map((name, at) => `hash(range * 10 + ${at + index}) / 1.8e19 AS ${name}`)
      await connection.run(`COPY (SELECT (hash(range + ${index}) % ${keys})::BIGINT AS driver_id, ${time(index + 7)} AS event_timestamp,
        ${values.join(', ')} FROM range(${entities * 10})) TO '${join(base, `${view}.parquet`)}' (FORMAT parquet)`)
    }
    await connection.run(`COPY (SELECT range AS row_id, (hash(range + 99) % ${keys})::BIGINT AS driver_id, ${time(5)} AS event_timestamp
      FROM range(${entities})) TO '${join(base, 'entities.parquet')}' (FORMAT parquet)`)
  })
  writeFileSync(join(base, 'feature_store.yaml'), 'project: bench\n')
  writeFileSync(
    join(base, 'features.yaml'),
    `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
${views
  .map(
    (view, index) => `---
kind: data_source
name: ${view}
type: file
path: ${view}.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: view_${view}
entities: [driver]
source: ${view}
online: false
${index === 0 ? 'ttl: 30d\n' : ''}schema: [${features(view)
      .map((name) => `{name: ${name}, dtype: float64}`)
      .join(', ')}]
`,
  )
  .join('')}`,
  )
  return {}
}

async function frame(base) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(base)
  await store.apply()
  const start = performance.now()
  const job = await store.getHistoricalFeatures({
    entities: join(base, 'entities.parquet'),
    features: views.map((view) => `view_${view}`),
  })
  await job.writeFile(join(base, 'frame.parquet'), 'parquet')
  const seconds = (performance.now() - start) / 1000
  await job[Symbol.asyncDispose]()
  await store.close()
  return {seconds}
}

async function asOf(base) {
  const joins = views.map(
    (view) => `ASOF LEFT JOIN '${join(base, `${view}.parquet`)}' AS ${view}
      ON ${view}.driver_id = entity.driver_id AND ${view}.event_timestamp <= entity.event_timestamp`,
  )
  return copied(
    base,
    `SELECT entity.*, ${views.flatMap(features).join(', ')} FROM '${join(base, 'entities.parquet')}' AS entity ${joins.join('\n')}`,
  )
}

async function textbook(base) {
  const joined = views.map(
    (view) => `(SELECT * FROM (
      SELECT entity.row_id, ${features(view).join(', ')},
        row_number() OVER (PARTITION BY entity.row_id ORDER BY source.event_timestamp DESC) AS place
      FROM '${join(base, 'entities.parquet')}' AS entity JOIN '${join(base, `${view}.parquet`)}' AS source
        ON source.driver_id = entity.driver_id AND source.event_timestamp <= entity.event_timestamp
    ) WHERE place = 1) AS ${view} ON ${view}.row_id = entity.row_id`,
  )
  return copied(
    base,
    `SELECT entity.*, ${views.flatMap(features).join(', ')} FROM '${join(base, 'entities.parquet')}' AS entity
    LEFT JOIN ${joined.join('\n    LEFT JOIN ')}`,
  )
}

function copied(base, query) {
  return withDuckDb(async (connection) => {
    const start = performance.now()
    await connection.run(
      `COPY (${query}) TO '${join(base, 'plain.parquet')}' (FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 4096)`,
    )
    return {seconds: (performance.now() - start) / 1000}
  })
}
