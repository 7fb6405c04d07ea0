import {afterAll, beforeAll, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {RedisServer} from '../support/redis-server.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {UniformRepo} from '../support/uniform-repo.js'

let server: RedisServer
let proxy: TcpProxy
let repo: UniformRepo
beforeAll(async () => {
  server = await RedisServer.start()
  // So far away that there are always reads under way.
  proxy = await TcpProxy.start(server.port)
  proxy.delay(20)
  repo = new UniformRepo(`{type: redis, connection_string: "127.0.0.1:${proxy.port}"}`, 20_000)
})
afterAll(async () => {
  repo[Symbol.dispose]()
  await proxy[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

test('a process that serves applies and loads, and none of its reads fails', async () => {
  await repo.writeVersion(1)
  await using other = await FeatureStore.open(repo.folder)
  await other.apply()
  expect(await other.materializeIncremental()).toMatchObject({status: 'ok'})
  await repo.writeVersion(2)
  // It has only read until it loads.
  await using store = await FeatureStore.open(repo.folder)
  let isReading = true
  let reads = 0
  const reading = Array.from({length: 20}, async (_, reader) => {
    for (let round = 0; isReading; round += 1) {
      const ids = Array.from({length: 50}, (_, at) => (round * 7919 + at * 293 + reader) % repo.drivers)
      await repo.readVersions(store, ids)
      reads += 1
    }
  })
  while (reads < 20) await new Promise(setImmediate)
  try {
    const interval = {start: null, end: BigInt(Date.UTC(2026, 0, 2)) * 1000n}
    expect(await store.materialize(interval)).toMatchObject({status: 'ok'})
    await store.apply()
    expect(await store.verify({sample: 100})).toBeDefined()
    const before = reads
    while (reads < before + 40) await new Promise(setImmediate)
  } finally {
    isReading = false
  }
  await Promise.all(reading)
  expect(await repo.readVersions(store, [0, repo.drivers - 1])).toEqual([2, 2])
})
