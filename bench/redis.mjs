// A first load of 1 M keys × 10 doubles into Redis, guarded row by row, against redis-benchmark's pipelined SET of the
// same bytes by one client a node, on one server and on a cluster of three; and reads through the SDK against one raw
// command of ioredis. BENCH_SCALE=0.1 makes it smaller. Clients and servers share the machine.
import {spawn, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {Redis} from 'ioredis'
import {features, writeDrivers, writeDriverViews, writeSettings} from './lib/driver-repo.mjs'
import {count, quantile, row} from './lib/parts.mjs'
import {median} from './lib/whole-process.mjs'

const scale = Number(process.env.BENCH_SCALE ?? '1')
const keys = Math.round(1_000_000 * scale)
const rounds = 3
const views = ['a', 'b', 'c']
const featuresOf = (view) => features.map((name) => `${view}_${name}`)

const base = mkdtempSync(join(tmpdir(), 'fs-bench-redis-'))
const nodes = []
try {
  await writeSources()
  const single = [await startNode()]
  await loads(single, {type: 'redis', connection_string: addresses(single)}, 'Redis', [])
  await reads(single[0])
  stop(single[0])
  const cluster = await startCluster()
  const settings = {type: 'redis', redis_type: 'redis_cluster', connection_string: addresses(cluster)}
  await loads(cluster, settings, 'Redis Cluster of 3', ['--cluster'])
} finally {
  nodes.forEach(stop)
  rmSync(base, {recursive: true, force: true})
}

async function loads(servers, onlineStore, name, clusterFlags) {
  for (const [life, ttl, aim] of [
    ['kept for ever', undefined, servers.length > 1 ? '≥ 0.5×' : '≥ 0.75×'],
    ['with expiry', '36500d', servers.length > 1 ? '' : '≥ 0.4×'],
  ]) {
    const [ours, plain] = [[], []]
    for (let round = 0; round <= rounds; round += 1) {
      await flush(servers)
      const rates = [await load(onlineStore, ttl)]
      const bytes = await rowBytes(servers[0])
      await flush(servers)
      rates.push(pipelinedSets(servers, bytes, clusterFlags))
      if (round > 0) [ours, plain].forEach((list, index) => list.push(rates[index]))
    }
    const [rate, sets] = [median(ours), median(plain)]
    const command = ['redis-benchmark', ...clusterFlags, 'SET -P 500'].join(' ')
    row(
      `materialize ${count(keys)} keys × 10 to ${name}, guarded, ${life}, query included`,
      `${command} (${thousands(sets)})`,
      thousands(rate),
      `${(rate / sets).toFixed(2)}×`,
      aim,
    )
  }
}

/** Rows a second, from the start of the run to its end. */
async function load(onlineStore, ttl) {
  writeRepo(onlineStore, views.slice(0, 1), ttl)
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

async function rowBytes({client}) {
  const [, [key]] = await client.scanBuffer('0', 'MATCH', 'fs:bench:*', 'COUNT', 1000)
  return client.strlen(key)
}

function pipelinedSets(servers, bytes, clusterFlags) {
  const load = ['-n', keys, '-d', bytes, '-r', keys, '-c', servers.length, '-P', '500', '-q']
  const {stdout} = spawnSync(
    'redis-benchmark',
    ['-p', servers[0].port, ...clusterFlags, '-t', 'set', ...load.map(String)],
    {encoding: 'utf8'},
  )
  return Number(/SET: ([\d.]+) requests per second/.exec(stdout)[1])
}

async function reads(server) {
  const {client} = server
  await flush([server])
  writeRepo({type: 'redis', connection_string: addresses([server])}, views, undefined)
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(base)
  await store.apply()
  await store.materializeIncremental()
  const asked = views.flatMap((view) => featuresOf(view).map((name) => `view_${view}:${name}`))
  for (const [entities, rounds, aim] of [
    [1, 20_000, '≤ 1.3×'],
    [100, 4000, '≤ 1.5×'],
  ]) {
    const ids = (index) =>
      Array.from({length: entities}, (_, at) => ({driver_id: (index * entities + at) % keys}))
    const rowKeys = await client.keysBuffer('fs:bench:{*')
    const sample = rowKeys.slice(0, entities * views.length)
    const [sdk, raw] = [[], []]
    // Who serves is warm after some thousands of reads: before that half of what is measured is the compiler of the engine.
    const warmUp = rounds / 4
    for (let index = 0; index < warmUp + rounds; index += 1) {
      // Whoever asks has its entities.
      const asking = ids(index)
      const start = performance.now()
      const answer = await store.getOnlineFeatures({
        entities: asking,
        features: asked,
        fullFeatureNames: true,
      })
      if (answer.toRows().length !== entities) throw new Error('rows are missing')
      const between = performance.now()
      await client.mgetBuffer(...sample)
      if (index >= warmUp) {
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
  for (const [at, view] of views.entries()) {
    const drivers = at === 0 ? keys : Math.min(keys, 20_000)
    await writeDrivers(join(base, `${view}.parquet`), drivers, {features: featuresOf(view), salt: at})
  }
}

function writeRepo(onlineStore, used, ttl) {
  writeSettings(base, {online_store: onlineStore})
  writeDriverViews(
    base,
    used.map((view) => ({
      name: `view_${view}`,
      path: `${view}.parquet`,
      features: featuresOf(view),
      ...(ttl === undefined ? {} : {ttl}),
    })),
  )
}

async function startNode(...flags) {
  const port = await freePort()
  const folder = mkdtempSync(join(base, 'node-'))
  const server = spawn(
    'redis-server',
    ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...flags],
    {stdio: 'ignore'},
  )
  const client = new Redis({port})
  client.on('error', () => undefined)
  const node = {port, client, server}
  nodes.push(node)
  while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(50)
  return node
}

async function startCluster() {
  const servers = []
  for (let at = 0; at < 3; at += 1)
    servers.push(await startNode('--cluster-enabled', 'yes', '--cluster-port', await freePort()))
  spawnSync('redis-cli', ['--cluster', 'create', ...addresses(servers).split(','), '--cluster-yes'])
  for (const {client} of servers)
    while (!(await client.cluster('INFO')).includes('cluster_state:ok')) await sleep(100)
  return servers
}

function stop({client, server}) {
  client.disconnect()
  server.kill()
}

function addresses(servers) {
  return servers.map(({port}) => `127.0.0.1:${port}`).join(',')
}

async function flush(servers) {
  for (const {client} of servers) await client.flushall()
}

function thousands(rate) {
  return `${Math.round(rate / 1000)} k rows/s`
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const {port: free} = probe.address()
      probe.close(() => resolve(String(free)))
    })
  })
}
