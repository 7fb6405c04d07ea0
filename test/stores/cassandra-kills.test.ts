import {spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {fsBin, runFs} from '../support/run-fs.js'
import {sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'
import {UniformRepo} from '../support/uniform-repo.js'

const drivers = 4000
const kills = 22

let cassandra: SharedCassandra
let repo: UniformRepo
beforeAll(async () => {
  cassandra = await sharedCassandra()
  const {keyspace, host, port} = cassandra
  repo = new UniformRepo(JSON.stringify({type: 'cassandra', hosts: [`${host}:${port}`], keyspace}), drivers)
  await repo.writeVersion(1)
  expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
  expect(await runFs(load())).toMatchObject({code: 0})
})
afterAll(async () => {
  repo[Symbol.dispose]()
  await cassandra[Symbol.asyncDispose]()
})

/** Loads all versions there may be, also where an earlier one was loaded. */
const load = () => ['materialize', '2026-01-01', '2026-01-03', '-C', repo.folder]

async function tableName(): Promise<string> {
  const {rows} = await cassandra.client.execute(
    'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?',
    [cassandra.keyspace],
  )
  const name = rows.map((row) => String(row['table_name'])).find((one) => one.startsWith('rides__'))
  if (name === undefined) throw new Error('there is no table')
  return name
}

test(
  'a writer killed at any moment leaves whole rows, none older than before, and the next run heals it',
  {timeout: 300_000},
  async () => {
    await using store = await FeatureStore.open(repo.folder)
    const seen = new Map<number, number>()
    let isReading = true
    const reading = (async () => {
      for (let round = 0; isReading; round += 1) {
        const ids = Array.from({length: 50}, (_, index) => (round * 7919 + index * 293) % drivers)
        for (const [index, version] of (await repo.readVersions(store, ids)).entries()) {
          const id = ids[index] as number
          expect(version).toBeGreaterThanOrEqual(seen.get(id) ?? 1)
          seen.set(id, version as number)
        }
        await sleep(10)
      }
    })()

    let killedInMidRun = 0
    for (let kill = 0; kill < kills; kill += 1) {
      const version = kill + 2
      await repo.writeVersion(version)
      const child = spawn(process.execPath, [fsBin, ...load()], {stdio: 'ignore'})
      const ended = new Promise((resolve) => child.on('close', resolve))
      if (kill % 3 === 0) {
        // While it starts, reads, takes its place.
        await sleep(Math.random() * 2000)
      } else {
        const isSeen = (): boolean => [...seen.values()].includes(version)
        while (!isSeen() && child.exitCode === null) await sleep(5)
        await sleep(Math.random() * 500)
      }
      child.kill('SIGKILL')
      await ended
      const versions = await repo.readAllVersions(store)
      if (versions.has(version) && versions.size > 1) killedInMidRun += 1
    }
    isReading = false
    await reading
    expect(killedInMidRun).toBeGreaterThan(kills / 3)

    expect(await runFs(load())).toMatchObject({code: 0})
    expect(await repo.readAllVersions(store)).toEqual(new Set([kills + 1]))
    // What was replaced has left nothing behind.
    const {rows} = await cassandra.client.execute(`SELECT COUNT(*) AS live FROM "${await tableName()}"`)
    expect(Number(rows[0]?.['live'])).toBe(drivers)
  },
)
