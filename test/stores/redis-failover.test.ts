import {Redis} from 'ioredis'
import {setTimeout as pause} from 'node:timers/promises'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import {onlineRows, onlineTable} from '../conformance/online-store.js'
import {RedisCluster} from '../support/redis-server.js'
import {runFs} from '../support/run-fs.js'
import {UniformRepo} from '../support/uniform-repo.js'

let cluster: RedisCluster
let repo: UniformRepo
beforeAll(async () => {
  cluster = await RedisCluster.start(1)
  repo = new UniformRepo(
    `{type: redis, redis_type: redis_cluster, connection_string: "${cluster.addresses}"}`,
    300_000,
  )
  await repo.writeVersion(1)
  expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
})
afterAll(async () => {
  repo[Symbol.dispose]()
  await cluster[Symbol.asyncDispose]()
})

test('a master that is killed in mid-run costs seconds, not the run, and readers come back', async () => {
  await using store = await FeatureStore.open(repo.folder)
  let isReading = true
  const reads = {before: 0, failed: 0, after: 0}
  const reading = (async () => {
    for (let round = 0; isReading; round += 1) {
      const ids = Array.from({length: 100}, (_, at) => (round * 7919 + at * 293) % repo.drivers)
      try {
        await repo.readVersions(store, ids)
        reads[reads.failed === 0 ? 'before' : 'after'] += 1
      } catch (error) {
        expect(error).toMatchObject({code: 'FS_STORE_UNAVAILABLE'})
        reads.failed += 1
      }
    }
  })()

  let hasEnded = false
  const run = runFs(['materialize-incremental', '-C', repo.folder]).finally(() => (hasEnded = true))
  const [victim] = cluster.nodes
  const rowsOfVictim = async (): Promise<number> => Number(await victim?.ask('dbsize'))
  while (reads.before === 0 || (await rowsOfVictim()) < 10_000) await pause(10)
  expect(hasEnded).toBe(false)
  await victim?.kill()
  const ran = await run
  expect(ran).toMatchObject({code: 0})

  while (reads.after < 10) await pause(50)
  isReading = false
  await reading
  expect(reads.before).toBeGreaterThan(0)
  expect(reads.failed).toBeGreaterThan(0)

  // What the master had acknowledged and not yet replicated went with it, and was written again.
  expect(ran.stdout).toContain('a server of the online store ended during the load')
  expect(await repo.readAllVersions(store)).toEqual(new Set([1]))
})

test('a master that falls silent is left for the new one', async () => {
  await using own = await RedisCluster.start(1)
  await using store = await openOnlineStore(
    {type: 'redis', settings: {redisType: 'redis_cluster', connectionString: own.addresses}},
    {project: 'rides', repoDirectory: '/', access: 'write'},
  )
  const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
  const ids = Array.from({length: 3000}, (_, id) => BigInt(id))
  const write = (event: bigint) =>
    store.write(
      table,
      onlineRows(
        table,
        ids.map((id) => ({key: [id], event, created: null, values: [event]})),
      ),
    )
  await store.prepare([table])
  expect(await write(1n)).toMatchObject({written: 3000})
  // A replica that lags, or is not in sync yet, would take over without what was written so far.
  const master = new Redis(own.nodes[0]?.port ?? 0)
  for (;;) {
    const replication = await master.info('replication')
    const written = /master_repl_offset:(\d+)/.exec(replication)?.[1]
    if (/slave0:.*state=online,offset=(\d+)/.exec(replication)?.[1] === written) break
    await pause(50)
  }
  master.disconnect()
  own.nodes[0]?.freeze()
  await write(2n)
  const [rows] = await store.read([{table, keys: ids.map((id) => [id]), features: ['trips']}])
  expect(new Set(rows?.map((row) => row?.values[0]))).toEqual(new Set([2n]))
})
