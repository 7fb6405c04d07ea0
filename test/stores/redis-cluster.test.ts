import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
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

  test('a script that the nodes forgot is sent again', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const rows = ids.map((id) => ({key: [id], event: 1n, created: null, values: [id]}))
    await store.write(table, onlineRows(table, rows))
    for (const node of cluster.nodes) await node.ask('script', 'flush')
    expect(await store.write(table, onlineRows(table, rows))).toMatchObject({unchanged: 3000})
  })
})
