// One key with 10 doubles read through the SDK, in process, against a get of the very same bytes from LMDB.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {features, writeDrivers, writeDriverViews, writeSettings} from './lib/driver-repo.mjs'
import {row} from './lib/parts.mjs'
import {median} from './lib/whole-process.mjs'

const keys = 10_000
const reads = 20_000
const rounds = 9

const base = mkdtempSync(join(tmpdir(), 'fs-bench-read-'))
try {
  await writeRepo()
  const {FeatureStore} = await import('../dist/index.js')
  const loading = await FeatureStore.open(base)
  await loading.apply()
  await loading.materializeIncremental()
  await loading.close()

  const store = await FeatureStore.open(base)
  const {open} = await import('lmdb')
  const options = {noSubdir: false, encoding: 'binary', keyEncoding: 'binary'}
  // The store has the environment open already: the client shares it within a process.
  const raw = open({path: join(base, 'data/online/bench'), ...options})
  const stored = []
  for (const {key, value} of raw.getRange()) if (value.length > 80) stored.push(Buffer.from(key))
  const asked = features.map((name) => `view:${name}`)
  const [ours, plain] = [[], []]
  for (let round = 0; round <= rounds; round += 1) {
    const sdk = await timed(async (index) => {
      const answer = await store.getOnlineFeatures({entities: [{driver_id: index % keys}], features: asked})
      return answer.toRows()[0].f9
    })
    const gets = await timed((index) => raw.get(stored[index % stored.length]).length)
    if (round > 0) [ours, plain].forEach((list, at) => list.push([sdk, gets][at]))
  }
  await raw.close()
  await store.close()
  const [sdk, get] = [median(ours), median(plain)]
  row(
    'online read, 1 key × 10 features, SDK',
    `lmdb get (${get.toFixed(1)} µs)`,
    `${sdk.toFixed(1)} µs`,
    `${(sdk / get).toFixed(2)}×`,
    '≤ 3×',
  )
} finally {
  rmSync(base, {recursive: true, force: true})
}

/** Microseconds a read, one after the other. */
async function timed(read) {
  const start = performance.now()
  let seen = 0
  for (let index = 0; index < reads; index += 1) if ((await read(index)) !== null) seen += 1
  if (seen !== reads) throw new Error(`only ${seen} of ${reads} reads found a value`)
  return ((performance.now() - start) * 1000) / reads
}

async function writeRepo() {
  await writeDrivers(join(base, 'source.parquet'), keys)
  writeSettings(base)
  writeDriverViews(base, [{name: 'view', path: 'source.parquet'}])
}
