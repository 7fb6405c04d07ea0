import {setTimeout as pause} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {describeOnlineStore, onlineRows, onlineTable} from '../conformance/online-store.js'
import {RedisSentinels} from '../support/redis-server.js'
import {runFs} from '../support/run-fs.js'
import {UniformRepo} from '../support/uniform-repo.js'

let sentinels: RedisSentinels
beforeAll(async () => {
  sentinels = await RedisSentinels.start()
})
afterAll(() => sentinels[Symbol.asyncDispose]())

const openBehind = (
  {addresses}: RedisSentinels,
  project: string,
  access: 'read' | 'write',
): Promise<OnlineStore> =>
  openOnlineStore(
    {
      type: 'redis',
      settings: {redisType: 'redis_sentinel', sentinelMaster: 'rides', connectionString: addresses},
    },
    {project, repoDirectory: '/', access},
  )

describeOnlineStore('Redis behind sentinels', () =>
  Promise.resolve({
    open: (project, access) => openBehind(sentinels, project, access),
    close: () => sentinels.master.ask('flushall').then(() => undefined),
  }),
)

describe('behind sentinels', () => {
  test('a master that is killed in mid-run costs seconds, not the run, and readers come back', async () => {
    await using mortal = await RedisSentinels.start()
    using repo = new UniformRepo(
      `{type: redis, redis_type: redis_sentinel, sentinel_master: rides, connection_string: "${mortal.addresses}"}`,
      200_000,
    )
    await repo.writeVersion(1)
    expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
    await using store = await FeatureStore.open(repo.folder)
    await repo.readVersions(store, [1, 2, 3])

    let hasEnded = false
    const run = runFs(['materialize-incremental', '-C', repo.folder]).finally(() => (hasEnded = true))
    while (Number(await mortal.master.ask('dbsize')) < 10_000) await pause(10)
    expect(hasEnded).toBe(false)
    await mortal.master.kill()
    expect(await run).toMatchObject({code: 0})

    // What the master had acknowledged and not yet replicated went with it; loading the interval again brings it back.
    const again = await runFs(['materialize', '2026-01-01', '2026-01-02', '-C', repo.folder])
    expect(again).toMatchObject({code: 0})
    expect(await repo.readAllVersions(store)).toEqual(new Set([1]))
  })

  test('a master that falls silent is left for the new one', async () => {
    await using silent = await RedisSentinels.start()
    await using store = await openBehind(silent, 'rides', 'write')
    const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
    await store.prepare([table])
    const write = (event: bigint) =>
      store.write(table, onlineRows(table, [{key: [1n], event, created: null, values: [event]}]))
    await write(1n)
    silent.master.freeze()
    expect(await write(2n)).toMatchObject({written: 1})
    const [rows] = await store.read([{table, keys: [[1n]], features: ['trips']}])
    expect(rows?.[0]?.values).toEqual([2n])
    expect(await silent.replica.ask('info', 'replication')).toContain('role:master')
  })
})
