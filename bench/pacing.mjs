// Loads into Cassandra that find their pace: against a proxy that takes 4,000 writes a second and refuses the rest, as a
// new table of Amazon Keyspaces does, and beside a reader in a process of its own. Draws pacing.svg. Server, proxy, reader
// and load share the machine. BENCH_SCALE=0.1 makes it shorter; `npm run services:up` installs the server.
import {fork, spawn} from 'node:child_process'
import {mkdtempSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {Client} from 'cassandra-driver'
import {build} from 'esbuild'
import {cassandraNode} from '../scripts/services/cassandra-node.mjs'
import {features, writeDrivers, writeDriverViews, writeSettings} from './lib/driver-repo.mjs'
import {count, quantile, row} from './lib/parts.mjs'
import {plotSvg} from './lib/plot.mjs'
import {fsBin} from './lib/whole-process.mjs'

const file = fileURLToPath(import.meta.url)
const keyspace = 'bench'
const writesPerSecond = 4000
/** A row is an INSERT and a DELETE of what is older. */
const writesOfRow = 2
const scale = Number(process.env.BENCH_SCALE ?? '1')
const steadySeconds = Math.round(Math.max(20, 60 * scale))
const targetMillis = 10
/** More than any of the loads gets to. */
const drivers = 3_000_000

if (process.argv[2] === 'reader') await readForEver(process.argv[3])
else await main()

async function main() {
  const base = mkdtempSync(join(tmpdir(), 'fs-bench-pacing-'))
  const server = await startCassandra(base)
  try {
    await writeDrivers(join(base, 'source.parquet'), drivers)
    const first = await appliedRepo(base, 'first', server.port)
    // It warms the server up.
    await withLoad(first, () => sleep(20_000))
    const alone = await read(first)
    const throttled = await throttledLoad(base, server.port)
    const yielding = await readBesideLoad(base, server.port, targetMillis)
    const greedy = await readBesideLoad(base, server.port, 60_000)
    report(throttled, {alone, yielding, greedy})
  } finally {
    await server.kill()
    rmSync(base, {recursive: true, force: true})
  }
}

function report({accepted, refused}, {alone, yielding, greedy}) {
  const settled = accepted.findIndex((_, at) => mean(accepted.slice(at, at + 5)) >= 0.9 * writesPerSecond)
  const rate = mean(accepted.slice(20))
  const share = sum(refused) / (sum(accepted) + sum(refused))
  const limit = `${count(writesPerSecond)} writes/s`
  row(
    'load into a store that throttles, from second 20 on',
    limit,
    `${count(Math.round(rate))} writes/s`,
    `${(rate / writesPerSecond).toFixed(2)}×`,
    '≥ 0.9×',
  )
  row('the same: seconds until nine tenths of it', '—', settled < 0 ? 'never' : `${settled} s`, '', '≤ 20 s')
  row('the same: writes that were refused', '—', `${(share * 100).toFixed(1)} %`, '', '≤ 5 %')
  for (const [name, {p50, p99, rows}, aim] of [
    [`beside a load that yields at ${targetMillis} ms`, yielding, `≤ ${targetMillis} ms`],
    ['beside a load that does not yield', greedy, ''],
  ])
    row(
      `one reader of Cassandra, p50 and p99, ${name} (${count(Math.round(mean(rows)))} rows/s)`,
      `without a load (${shown(alone.p50)}, ${shown(alone.p99)})`,
      `${shown(p50)}, ${shown(p99)}`,
      `${(p99 / alone.p99).toFixed(1)}×`,
      aim,
    )
  const svg = plotSvg('Loads into Cassandra that find their pace', [
    {
      title: 'Writes a second into a store that throttles',
      limit: {name: 'what it takes', value: writesPerSecond},
      lines: [
        {name: 'taken', values: accepted},
        {name: 'refused', values: refused},
      ],
    },
    {
      title: 'p99 of one reader beside a load, ms, second by second',
      limit: {name: `target, ${targetMillis} ms`, value: targetMillis},
      lines: [
        {name: 'load that yields', values: yielding.p99BySecond},
        {name: 'load that does not', values: greedy.p99BySecond},
        {name: 'no load', values: alone.p99BySecond},
      ],
    },
    {
      title: 'Rows a second of those loads',
      lines: [
        {name: 'load that yields', values: yielding.rows},
        {name: 'load that does not', values: greedy.rows},
      ],
    },
  ])
  writeFileSync(fileURLToPath(new URL('pacing.svg', import.meta.url)), svg)
}

/** What a proxy that throttles saw in each second of a load. */
async function throttledLoad(base, cassandraPort) {
  const proxy = await startProxy(base, {cassandraPort, writesPerSecond})
  try {
    const folder = await appliedRepo(base, 'throttled', proxy.port)
    return await withLoad(folder, async () => {
      const from = await firstSecondOf(proxy)
      await sleep((20 + steadySeconds) * 1000)
      const seconds = proxy.stats().bySecond.slice(from, -1)
      return {accepted: seconds.map((one) => one.accepted), refused: seconds.map((one) => one.refused)}
    })
  } finally {
    await proxy[Symbol.asyncDispose]()
  }
}

/** What a reader sees beside a load with that target, and what the load does meanwhile. */
async function readBesideLoad(base, cassandraPort, latencyTargetMillis) {
  // It lets all through, and counts.
  const proxy = await startProxy(base, {cassandraPort})
  try {
    const folder = await appliedRepo(base, `target-${latencyTargetMillis}`, proxy.port, latencyTargetMillis)
    return await withLoad(folder, async () => {
      await firstSecondOf(proxy)
      let from = 0
      const seen = await read(folder, () => (from = proxy.stats().bySecond.length))
      const seconds = proxy.stats().bySecond.slice(from, -1)
      return {...seen, rows: seconds.map(({accepted}) => accepted / writesOfRow)}
    })
  } finally {
    await proxy[Symbol.asyncDispose]()
  }
}

/** Waits until a load writes; returns the first whole second of it. */
async function firstSecondOf(proxy) {
  const {accepted} = proxy.stats()
  while (proxy.stats().accepted < accepted + 20) await sleep(20)
  return proxy.stats().bySecond.length
}

/** What a reader in a process of its own sees for some time. */
async function read(folder, onBegin = () => undefined) {
  const reader = fork(file, ['reader', folder])
  const seconds = []
  let isWarm = false
  reader.on('message', (second) => seconds.push(second))
  try {
    while (seconds.length < steadySeconds) {
      await sleep(50)
      if (isWarm || seconds.length < 4) continue
      isWarm = true
      seconds.length = 0
      onBegin()
    }
  } finally {
    reader.kill('SIGKILL')
  }
  const p99 = (taken) => quantile(taken, 0.99)
  return {p50: quantile(seconds.flat(), 0.5), p99: p99(seconds.flat()), p99BySecond: seconds.map(p99)}
}

/** Reads one entity after the other, and tells each second what each took. */
async function readForEver(folder) {
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(folder)
  const asked = features.map((name) => `view:${name}`)
  let taken = []
  setInterval(() => {
    process.send(taken)
    taken = []
  }, 1000)
  process.on('disconnect', () => process.exit())
  for (let id = 0; ; id += 1) {
    const start = performance.now()
    await store.getOnlineFeatures({entities: [{driver_id: id % 1000}], features: asked})
    taken.push(performance.now() - start)
    await sleep(2)
  }
}

/** Loads as cron does, all the while and no longer. */
async function withLoad(folder, use) {
  const args = [fsBin, 'materialize-incremental', '-C', folder]
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'ignore', 'pipe']})
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const ended = new Promise((resolve) => child.on('close', resolve))
  try {
    const early = ended.then(() => Promise.reject(new Error(`the load ended: ${said}`)))
    return await Promise.race([use(), early])
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

async function appliedRepo(base, name, port, latencyTargetMillis) {
  const folder = join(base, name)
  mkdirSync(folder)
  const write = latencyTargetMillis === undefined ? {} : {latency_target_ms: latencyTargetMillis}
  const block = {type: 'cassandra', hosts: [`127.0.0.1:${port}`], keyspace, write}
  writeSettings(folder, {online_store: block})
  writeDriverViews(folder, [{name: 'view', path: '../source.parquet'}])
  const {FeatureStore} = await import('../dist/index.js')
  const store = await FeatureStore.open(folder)
  await store.apply()
  await store.close()
  return folder
}

async function startCassandra(base) {
  const [port, storagePort] = [await freePort(), await freePort()]
  const folder = join(base, 'cassandra')
  mkdirSync(folder)
  const {command, args} = cassandraNode({folder, address: '127.0.0.1', port, storagePort})
  const child = spawn(command, args, {stdio: 'ignore'})
  const ended = new Promise((resolve) => child.on('close', resolve))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  for (;;) {
    const client = new Client({contactPoints: [`127.0.0.1:${port}`], localDataCenter: 'datacenter1'})
    try {
      await client.execute(
        `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
      )
      return {port, kill}
    } catch (error) {
      if (child.exitCode !== null) throw error
      await sleep(200)
    } finally {
      await client.shutdown()
    }
  }
}

/** The proxy of the tests, which are TypeScript. */
async function startProxy(base, options) {
  const outfile = join(base, 'proxy.mjs')
  const source = fileURLToPath(new URL('../test/support/keyspaces-proxy.ts', import.meta.url))
  await build({entryPoints: [source], bundle: true, platform: 'node', format: 'esm', outfile})
  const {KeyspacesProxy} = await import(pathToFileURL(outfile))
  return KeyspacesProxy.startPlain({cassandraHost: '127.0.0.1', ...options})
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const {port} = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function sum(values) {
  return values.reduce((all, value) => all + value, 0)
}

function mean(values) {
  return sum(values) / values.length
}

function shown(millis) {
  return `${millis.toFixed(1)} ms`
}
