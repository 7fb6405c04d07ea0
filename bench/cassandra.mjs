// A first load of 100 k keys × 10 doubles into Cassandra, guarded and in native columns, paced as loads are, against the
// driver's own executeConcurrent of the very same statements; and reads through the SDK against one raw prepared SELECT
// of the same columns. BENCH_SCALE=0.1 makes it smaller. It uses the server that `npm run services:up` starts, with a
// keyspace of its own. Client and server share the machine.
import {randomBytes} from 'node:crypto'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import cassandra from 'cassandra-driver'
import {greet, greetings} from '../scripts/services/answers.mjs'
import {cassandraPort} from '../scripts/services/ports.mjs'
import {features, writeDrivers, writeDriverViews, writeSettings} from './lib/driver-repo.mjs'
import {count, quantile, row} from './lib/parts.mjs'
import {median} from './lib/whole-process.mjs'

const scale = Number(process.env.BENCH_SCALE ?? '1')
const keys = Math.round(100_000 * scale)
const rounds = 3
const reads = 4000
const requestsInFlight = 256
const keyspace = `bench_${randomBytes(6).toString('hex')}`
const table = `${keyspace}.bench__view_a`

const {localOne, localQuorum} = cassandra.types.consistencies
const client = new cassandra.Client({
  contactPoints: [`127.0.0.1:${cassandraPort}`],
  localDataCenter: 'datacenter1',
  encoding: {useBigIntAsLong: true},
  queryOptions: {consistency: localQuorum},
})

if ((await greet(cassandraPort, greetings.cassandra)) === 'answers') await compare()
else row('Cassandra', '—', `not measured: none at 127.0.0.1:${cassandraPort} (npm run services:up)`, '', '')

async function compare() {
  const base = mkdtempSync(join(tmpdir(), 'fs-bench-cassandra-'))
  try {
    await client.connect()
    await writeSource(base)
    await compareLoads(base)
    await compareReads(base)
  } finally {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    await client.shutdown()
    rmSync(base, {recursive: true, force: true})
  }
}

async function compareLoads(base) {
  const statements = statementsOfSource()
  const ways = [() => load(base, 'static'), () => load(base, 'adaptive'), () => executeConcurrent(statements)]
  const rates = ways.map(() => [])
  // In turn, so that a slow moment of the machine meets them all; the first round warms the server up.
  for (let round = 0; round <= rounds; round += 1)
    for (const [index, way] of ways.entries()) {
      const rate = await way()
      if (round > 0) rates[index].push(rate)
    }
  const [atOnce, paced, plain] = rates.map(median)
  for (const [pacing, rate] of [
    [`static pacing, ${requestsInFlight} in flight`, atOnce],
    ['adaptive pacing', paced],
  ])
    row(
      `materialize ${count(keys)} keys × ${features.length} to Cassandra, guarded, ${pacing}, query included`,
      `executeConcurrent of the same statements (${thousands(plain)})`,
      thousands(rate),
      `${(rate / plain).toFixed(2)}×`,
      '≥ 0.9×',
    )
}

/** Rows a second, from the start of the run to its end. */
async function load(base, pacing) {
  rmSync(join(base, 'data'), {recursive: true, force: true})
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  writePacing(base, pacing)
  const store = await openStore(base)
  const start = performance.now()
  const run = await store.materializeIncremental()
  const seconds = (performance.now() - start) / 1000
  await store.close()
  const [{rows, error}] = run.views
  if (rows.written !== keys)
    throw new Error(`${rows.written} rows of ${keys}: ${error?.message ?? run.status}`)
  return keys / seconds
}

/** Rows a second by the driver alone, of values that it encodes itself. */
async function executeConcurrent({query, params}) {
  await client.execute(`TRUNCATE ${table}`)
  const start = performance.now()
  await cassandra.concurrent.executeConcurrent(client, query, params, {concurrencyLevel: requestsInFlight})
  return keys / ((performance.now() - start) / 1000)
}

/** What the store sends for each row, in one request: the row, and the removal of those with an older version. */
function statementsOfSource() {
  const own = ['row_version', 'event_timestamp', 'created_timestamp', 'null_elements']
  const columns = ['driver_id', ...own, ...features]
  const query = `BEGIN UNLOGGED BATCH
    INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) USING TIMESTAMP ? AND TTL ?;
    DELETE FROM ${table} USING TIMESTAMP ? WHERE driver_id = ? AND row_version < ?;
    APPLY BATCH`
  const {unset} = cassandra.types
  const event = BigInt(Date.UTC(2024)) * 1000n
  const params = Array.from({length: keys}, (_, index) => {
    const key = BigInt(index)
    const version = randomBytes(31)
    const values = features.map((_name, at) => (index * 10 + at) / keys)
    return [key, version, event, unset, unset, ...values, event, 0, event, key, version]
  })
  return {query, params}
}

async function compareReads(base) {
  await load(base, 'static')
  const store = await openStore(base)
  const query = `SELECT event_timestamp, ${features.join(', ')} FROM ${table} WHERE driver_id = ? LIMIT 1`
  const options = {prepare: true, consistency: localOne}
  const asked = features.map((name) => `view_a:${name}`)
  const [sdk, raw] = [[], []]
  for (let index = -reads / 4; index < reads; index += 1) {
    const key = Math.floor(Math.random() * keys)
    const start = performance.now()
    const answer = await store.getOnlineFeatures({entities: [{driver_id: key}], features: asked})
    if (answer.toRows()[0].f9 === null) throw new Error(`key ${key} is missing`)
    const between = performance.now()
    const {rows} = await client.execute(query, [BigInt(key)], options)
    const end = performance.now()
    if (rows[0].f9 === null) throw new Error(`key ${key} is missing`)
    if (index < 0) continue
    sdk.push(between - start)
    raw.push(end - between)
  }
  await store.close()
  const [ours, plain] = [sdk, raw].map((list) => quantile(list, 0.5))
  row(
    `online read, 1 entity × ${features.length} features, Cassandra, SDK, p50`,
    `one raw prepared SELECT (${plain.toFixed(3)} ms)`,
    `${ours.toFixed(3)} ms`,
    `${(ours / plain).toFixed(2)}×`,
    '≤ 1.2×',
  )
}

async function openStore(base) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(base)
  await store.apply()
  return store
}

async function writeSource(base) {
  await writeDrivers(join(base, 'a.parquet'), keys)
  writeDriverViews(base, [{name: 'view_a', path: 'a.parquet'}])
}

/** Client and server share the machine, so a load that made room for reads would show its patience, not its pace. */
function writePacing(base, pacing) {
  writeSettings(base, {
    online_store: {
      type: 'cassandra',
      hosts: [`127.0.0.1:${cassandraPort}`],
      keyspace,
      create_keyspace: {replication_factor: 1},
      write: {pacing, max_concurrency: requestsInFlight, latency_target_ms: 10000},
    },
  })
}

function thousands(rate) {
  return `${(rate / 1000).toFixed(1)} k rows/s`
}
