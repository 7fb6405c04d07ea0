import {spawn} from 'node:child_process'
import {setTimeout as pause} from 'node:timers/promises'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {RedisServer} from '../support/redis-server.js'
import {fsBin, runFs} from '../support/run-fs.js'
import {UniformRepo} from '../support/uniform-repo.js'

const kills = 50
let server: RedisServer
let repo: UniformRepo

beforeAll(async () => {
  server = await RedisServer.start()
  repo = new UniformRepo(`{type: redis, connection_string: "127.0.0.1:${server.port}"}`, 120_000)
  await repo.writeVersion(1)
  expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  repo[Symbol.dispose]()
})

/** Loads the interval again, whatever of it earlier runs have done. */
const materialize = (): readonly string[] => ['materialize', '2026-01-01', '2026-06-01', '-C', repo.folder]
const randomDriver = (): number => Math.floor(Math.random() * repo.drivers)

/** Starts a run; `kill` ends it at once and tells whether it was still running. */
function startRun(): {readonly kill: () => Promise<boolean>; readonly isRunning: () => boolean} {
  const child = spawn(process.execPath, [fsBin, ...materialize()], {stdio: 'ignore'})
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_, signal) => resolve(signal)),
  )
  return {
    isRunning: () => child.exitCode === null,
    kill: async () => {
      child.kill('SIGKILL')
      return (await ended) === 'SIGKILL'
    },
  }
}

test('a writer killed at any moment leaves whole rows, none older than before, and the next run heals it', async () => {
  await using store = await FeatureStore.open(repo.folder)
  const seen = new Map<number, number>()
  const look = async (ids: readonly number[]): Promise<readonly (number | null)[]> => {
    const versions = await repo.readVersions(store, ids)
    versions.forEach((version, index) => {
      const id = ids[index] as number
      if ((version ?? 0) < (seen.get(id) ?? 0))
        throw new Error(`driver ${id} went back to ${version ?? 'none'}`)
      seen.set(id, version ?? 0)
    })
    return versions
  }
  let isReading = true
  const reading = (async () => {
    while (isReading) {
      await look(Array.from({length: 200}, randomDriver))
      // Leaves the writer some of the machine.
      await pause(2)
    }
  })()

  const start = performance.now()
  expect(await runFs(materialize())).toMatchObject({code: 0})
  const millisOfRun = performance.now() - start

  let version = 1
  const hits = {atRandomTime: 0, whileWriting: 0}
  while (hits.atRandomTime + hits.whileWriting < kills) {
    version += 1
    await repo.writeVersion(version)
    const run = startRun()
    if (hits.atRandomTime < kills / 2) {
      await pause(Math.random() * millisOfRun)
      if (await run.kill()) hits.atRandomTime += 1
      continue
    }
    // The writer has just come to a driver, and is killed before it has come to all of them.
    const driver = randomDriver()
    while (run.isRunning() && (await look([driver]))[0] !== version) await pause(1)
    await run.kill()
    const left = await look(Array.from({length: 2000}, randomDriver))
    if (left.includes(version) && left.some((one) => one !== version)) hits.whileWriting += 1
  }
  isReading = false
  await reading

  expect(await runFs(materialize())).toMatchObject({code: 0})
  for (let first = 0; first < repo.drivers; first += 5000)
    await look(Array.from({length: 5000}, (_, at) => first + at))
  expect(new Set(seen.values())).toEqual(new Set([version]))
}, 600_000)
