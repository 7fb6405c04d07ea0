import {spawn} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {RedisServer} from '../support/redis-server.js'
import {fsBin, runFs} from '../support/run-fs.js'

const drivers = 60_000
const kills = 12
let folder = ''
let server: RedisServer

beforeAll(async () => {
  server = await RedisServer.start()
  folder = mkdtempSync(join(tmpdir(), 'fs-kills-'))
  writeFileSync(
    join(folder, 'feature_store.yaml'),
    `project: rides\nonline_store: {type: redis, connection_string: "127.0.0.1:${server.port}"}\n`,
  )
  writeFileSync(
    join(folder, 'features.yaml'),
    `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: stats_file
type: file
path: stats.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: stats
entities: [driver]
source: stats_file
schema: [{name: version, dtype: int64}, {name: half, dtype: float64}, {name: label, dtype: string}]
`,
  )
  await writeVersion(1)
  expect((await runFs(['apply', '-C', folder])).code).toBe(0)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true, force: true})
})

/** All features of a row follow from its version, and newer versions have later event times. */
async function writeVersion(version: number): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(
    `COPY (SELECT range AS driver_id, TIMESTAMP '2026-01-01' + to_hours(${version}) AS event_timestamp,
       ${version}::BIGINT AS version, ${version} / 2.0 AS half, 'v${version} of ' || range AS label
     FROM range(${drivers})) TO '${join(folder, 'stats.parquet')}' (FORMAT parquet)`,
  )
  connection.closeSync()
}

test('a writer killed at any moment leaves whole rows, none older than before, and the next run heals it', async () => {
  await using store = await FeatureStore.open(folder)
  const features = ['stats:version', 'stats:half', 'stats:label']
  const seen = new Map<number, bigint>()
  const look = async (ids: readonly number[]): Promise<void> => {
    const answer = await store.getOnlineFeatures({entities: ids.map((driver_id) => ({driver_id})), features})
    for (const [index, row] of answer.toRows().entries()) {
      const id = ids[index] as number
      const version = row['version'] as bigint | null
      if (version === null) {
        expect(seen.has(id)).toBe(false)
        continue
      }
      expect(row).toEqual({
        driver_id: BigInt(id),
        version,
        half: Number(version) / 2,
        label: `v${version} of ${id}`,
      })
      expect(version).toBeGreaterThanOrEqual(seen.get(id) ?? 0n)
      seen.set(id, version)
    }
  }

  let isReading = true
  const reading = (async () => {
    for (let round = 0; isReading; round += 1)
      await look(Array.from({length: 200}, (_, index) => (round * 7919 + index * 293) % drivers))
  })()
  let killedInMidRun = 0
  for (let kill = 0; kill < kills; kill += 1) {
    await writeVersion(kill + 2)
    const child = spawn(process.execPath, [fsBin, 'materialize-incremental', '-C', folder], {stdio: 'ignore'})
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('close', (_, signal) => resolve(signal)),
    )
    await new Promise((resolve) => setTimeout(resolve, 250 + kill * 50))
    child.kill('SIGKILL')
    if ((await ended) === 'SIGKILL') killedInMidRun += 1
  }
  isReading = false
  await reading
  expect(killedInMidRun).toBeGreaterThan(kills / 3)
  expect(seen.size).toBeGreaterThan(0)

  const last = await runFs(['materialize-incremental', '-C', folder])
  expect(last).toMatchObject({code: 0})
  for (let start = 0; start < drivers; start += 5000)
    await look(Array.from({length: 5000}, (_, index) => start + index))
  expect(new Set(seen.values())).toEqual(new Set([BigInt(kills + 1)]))
})
