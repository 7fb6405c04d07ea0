import {Redis} from 'ioredis'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {LoadPacer} from '../../src/online/pacing/load-pacer.js'
import {staticPacing} from '../../src/online/pacing/static-pacing.js'
import {describeOnlineStore, onlineRows, onlineTable} from '../conformance/online-store.js'
import {RedisCluster} from '../support/redis-server.js'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await RedisCluster.start()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const openStore = (project: string, access: 'read' | 'write'): Promise<OnlineStore> =>
  openOnlineStore(
    {type: 'redis', settings: {redisType: 'redis_cluster', connectionString: cluster.addresses}},
    {project, repoDirectory: '/', access},
  )

describeOnlineStore('Redis Cluster', () => Promise.resolve({open: openStore, close: () => cluster.flush()}))

describe('in a cluster', () => {
  const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
  const other = onlineTable('ratings', {driver_id: 'int64'}, {rating: 'float64'})
  const ids = Array.from({length: 3000}, (_, id) => BigInt(id))

  test('rows lie on all nodes, are found again, and go from all of them', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table, other])
    const rows = ids.map((id) => ({key: [id], event: 1n, created: null, values: [id]}))
    expect(await store.write(table, onlineRows(table, rows))).toMatchObject({written: 3000})
    expect(await store.write(table, onlineRows(table, rows))).toMatchObject({written: 0, unchanged: 3000})
    const ratings = ids.map((id) => ({key: [id], event: 1n, created: null, values: [Number(id) / 2]}))
    await store.write(other, onlineRows(other, ratings), {keepFor: 3_600_000_000n, now: 1n})
    const counts = async () => Promise.all(cluster.nodes.map((node) => node.ask('dbsize').then(Number)))
    for (const count of await counts()) expect(count).toBeGreaterThan(1000)
    const keys = ids.map((id) => [id])
    const [trips, rated] = await store.read([
      {table, keys, features: ['trips']},
      {table: other, keys, features: ['rating']},
    ])
    expect(trips?.map((row) => row?.values[0])).toEqual(ids)
    expect(rated?.map((row) => row?.values[0])).toEqual(ids.map((id) => Number(id) / 2))
    await store.drop(['driver', 'ratings'])
    expect((await counts()).reduce((sum, count) => sum + count)).toBe(0)
  })

  test('one master that comes back from an older snapshot is noticed', async () => {
    await using own = await RedisCluster.start()
    await using store = await openOnlineStore(
      {type: 'redis', settings: {redisType: 'redis_cluster', connectionString: own.addresses}},
      {project: 'rides', repoDirectory: '/', access: 'write'},
    )
    const [, , node] = own.nodes
    await store.prepare([table])
    expect(await store.loads.next('driver', 0)).toBe(1)
    await node?.ask('save')
    expect(await store.loads.next('driver', 1)).toBe(2)
    const before = await store.volatileServers()
    await node?.kill()
    await node?.up()
    while (!(await own.nodes[0]?.ask('cluster', 'info'))?.includes('cluster_state:ok')) await sleep(100)
    expect(await store.loads.last('driver')).toBe(1)
    const after = await store.volatileServers()
    expect(before.filter((server) => !after.includes(server))).toHaveLength(1)
    expect(await store.loads.next('driver', 2)).toBeUndefined()
    expect(await store.loads.next('driver', 0)).toBe(4)
    expect(await store.loads.last('driver')).toBe(4)
  })

  test('each master is told by the id of its process', async () => {
    await using store = await openStore('rides', 'write')
    const infos = await Promise.all(cluster.nodes.map((node) => node.ask('info', 'server')))
    const runIds = infos.map((info) => /^run_id:(\w+)/m.exec(info)?.[1])
    expect([...(await store.volatileServers())].sort()).toEqual(runIds.sort())
  })

  test.each([
    ['kept for ever', undefined],
    ['that expire', {keepFor: 3_600_000_000n, now: 1n}],
  ])('of rows %s, those that one node refused are sent again, and no others', async (_, life) => {
    await cluster.flush()
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const [node] = cluster.nodes
    const commands = async () =>
      Number(
        /^total_commands_processed:(\d+)/m.exec((await cluster.nodes[1]?.ask('info', 'stats')) ?? '')?.[1],
      )
    // It takes no writes for want of replicas.
    await node?.ask('config', 'set', 'min-replicas-to-write', '1')
    const pacer = new LoadPacer({policy: staticPacing({maxConcurrency: 2}), patienceMillis: 10_000})
    const before = await commands()
    const writing = store.write(
      table,
      onlineRows(
        table,
        ids.map((id) => ({key: [id], event: 1n, created: null, values: [id]})),
      ),
      life,
      {pacer},
    )
    await vi.waitFor(() => expect(pacer.metrics().retries.unavailable).toBeGreaterThan(2), 5000)
    await node?.ask('config', 'set', 'min-replicas-to-write', '0')
    expect(await writing).toMatchObject({written: 3000, unchanged: 0})
    // Of rows that expire each is a command there, and a few more are for looking.
    expect((await commands()) - before).toBeLessThan(1200)
  })

  test('a script that the nodes forgot is sent again', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const rows = ids.map((id) => ({key: [id], event: 1n, created: null, values: [id]}))
    await store.write(table, onlineRows(table, rows))
    for (const node of cluster.nodes) await node.ask('script', 'flush')
    expect(await store.write(table, onlineRows(table, rows))).toMatchObject({unchanged: 3000})
  })

  test.each([
    ['kept for ever', undefined],
    ['that expire', {keepFor: 3_600_000_000n, now: 1n}],
  ])('a slot on its way to another node is read, and rows %s are written, all the same', async (_, life) => {
    await cluster.flush()
    await using store = await openStore('rides', 'write')
    await store.prepare([table, other])
    const one = [0n]
    const write = async (event: bigint, writer = store) =>
      writer.write(table, onlineRows(table, [{key: one, event, created: null, values: [event]}]), life)
    /** By one that knows of no row yet. */
    const writeAnew = async (event: bigint) => {
      await using another = await openStore('rides', 'write')
      return await write(event, another)
    }
    const read = async () =>
      (
        await store.read([
          {table, keys: [one], features: ['trips']},
          {table: other, keys: [one], features: ['rating']},
        ])
      ).map(([row]) => row?.values[0])
    await write(1n)
    await store.write(other, onlineRows(other, [{key: one, event: 1n, created: null, values: [4.5]}]))
    const move = await beginMove(cluster, 'fs:rides:{*')
    // Some keys of the slot are here, some are there.
    await move.migrate(1)
    expect(await read()).toEqual([1n, 4.5])
    expect(await write(2n)).toMatchObject({written: 1})
    expect(await write(1n)).toMatchObject({written: 0, unchanged: 1})
    expect(await read()).toEqual([2n, 4.5])
    expect(await writeAnew(3n)).toMatchObject({written: 1})
    expect(await writeAnew(2n)).toMatchObject({written: 0, unchanged: 1})
    expect(await read()).toEqual([3n, 4.5])
    await move.finish()
    expect(await read()).toEqual([3n, 4.5])
    expect(await write(4n)).toMatchObject({written: 1})
    expect(await writeAnew(5n)).toMatchObject({written: 1})
    expect(await read()).toEqual([5n, 4.5])
  })
})

/** Begins to move the slot of the keys of a pattern to another master, as a resharding does. */
async function beginMove({nodes}: RedisCluster, pattern: string) {
  const clients = nodes.map(({port}) => new Redis({port}))
  onTestFinished(() => clients.forEach((client) => client.disconnect()))
  const found = await Promise.all(clients.map((client) => client.keysBuffer(pattern)))
  const at = found.findIndex((keys) => keys.length > 0)
  const [source, target] = [clients[at] as Redis, clients[(at + 1) % clients.length] as Redis]
  const slot = await source.cluster('KEYSLOT', (found[at] as Buffer[])[0] as Buffer)
  const [from, to] = await Promise.all([source.cluster('MYID'), target.cluster('MYID')])
  await target.cluster('SETSLOT', slot, 'IMPORTING', from)
  await source.cluster('SETSLOT', slot, 'MIGRATING', to)
  const migrate = async (count: number): Promise<void> => {
    const keys = (await source.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, count)) as Buffer[]
    for (const key of keys) await source.migrate('127.0.0.1', target.options.port as number, key, 0, 5000)
  }
  const finish = async (): Promise<void> => {
    await migrate(1000)
    for (const client of clients) await client.cluster('SETSLOT', slot, 'NODE', to)
  }
  return {migrate, finish}
}
