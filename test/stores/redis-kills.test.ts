import {spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {RedisServer} from '../support/redis-server.js'
import {fsBin} from '../support/run-fs.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {readVersions, rowOfVersion, VersionedRepo} from '../support/versioned-repo.js'

const drivers = 60_000
const kills = 12
/** What a load of one more version sends: half of the rows, some ninety bytes each. */
const bytesOfLoad = 2_700_000

test('a writer killed at any moment leaves whole rows, none older than before, and the next run heals it', async () => {
  await using server = await RedisServer.start()
  // The writers' way, so that each is known to be in the middle of its work when it is killed.
  await using proxy = await TcpProxy.start(server.port)
  proxy.bandwidth(5_000_000)
  const environment = {...process.env, REDIS_PORT: String(proxy.port)}
  using repo = await VersionedRepo.create(
    `{type: redis, connection_string: "127.0.0.1:\${REDIS_PORT:-${server.port}}"}`,
    drivers,
  )
  await using store = await FeatureStore.open(repo.folder)
  const seen = new Map<number, bigint>()
  const look = async (ids: readonly number[]): Promise<void> => {
    for (const [index, row] of (await readVersions(store, ids)).entries()) {
      const id = ids[index] as number
      const version = row['version'] as bigint | null
      if (version === null) {
        expect(seen.has(id)).toBe(false)
        continue
      }
      expect(row).toEqual(rowOfVersion(id, Number(version)))
      expect(version).toBeGreaterThanOrEqual(seen.get(id) ?? 0n)
      seen.set(id, version)
    }
  }

  let isReading = true
  const reading = (async () => {
    for (let round = 0; isReading; round += 1)
      await look(Array.from({length: 200}, (_, index) => (round * 7919 + index * 293) % drivers))
  })()
  for (let kill = 0; kill < kills; kill += 1) {
    await repo.writeVersion(kill + 2)
    const {up} = proxy.bytes
    const child = spawn(process.execPath, [fsBin, ...repo.loadCommand(kill + 2)], {
      stdio: 'ignore',
      env: environment,
    })
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('close', (_, signal) => resolve(signal)),
    )
    const moment = up + (bytesOfLoad * (kill + 1)) / (kills + 2)
    while (proxy.bytes.up < moment && child.exitCode === null) await sleep(1)
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
  }
  isReading = false
  await reading
  expect(seen.size).toBeGreaterThan(0)

  expect(await repo.load(kills + 1)).toMatchObject({code: 0})
  await repo.expectVersion(kills + 1)
})
