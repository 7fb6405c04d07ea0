import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {runFs, runFsJson} from '../support/run-fs.js'

const now = ['--now', '2026-01-10']

describe('a repo whose online store becomes another one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-another-store-'))
  const repo = ['-C', folder]
  const useStore = (block: string): void =>
    writeFileSync(join(folder, 'feature_store.yaml'), `project: rides\nonline_store: ${block}\n`)

  beforeAll(async () => {
    useStore('{type: embedded, path: one}')
    writeFileSync(join(folder, 'trips.csv'), 'driver,event_timestamp,trips\n1,2026-01-01T00:00:00Z,5\n')
    writeFileSync(
      join(folder, 'features.yaml'),
      `kind: entity
name: driver
join_keys: [{name: driver, value_type: int64}]
---
kind: data_source
name: trips_file
type: file
path: trips.csv
timestamp_field: event_timestamp
---
kind: feature_view
name: trips
entities: [driver]
source: trips_file
schema: [{name: trips, dtype: int64}]
`,
    )
    await runFsJson(['apply', '--yes', ...repo])
    await runFsJson(['materialize-incremental', ...now, ...repo])
  })
  afterAll(() => rmSync(folder, {recursive: true}))

  test('is told by apply what it does not hold, and the next load fills it', async () => {
    expect(await runFsJson(['apply', ...repo])).not.toHaveProperty('lost_views')
    useStore('{type: embedded, path: two}')
    const {code, stdout} = await runFs(['apply', ...repo])
    expect({code, stdout}).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /does not hold what was loaded of trips\..*materialize-incremental/,
      ) as string,
    })
    expect(await runFsJson(['apply', ...repo])).toMatchObject({lost_views: ['trips']})
    await runFsJson(['materialize-incremental', ...now, ...repo])
    expect(await runFsJson(['apply', ...repo])).not.toHaveProperty('lost_views')
  })

  test('is told by apply that it is not there', async () => {
    useStore('{type: redis, connection_string: "127.0.0.1:1"}')
    const {code, stderr} = await runFs(['apply', ...repo])
    expect({code, stderr}).toEqual({
      code: 1,
      stderr: expect.stringMatching(/FS_STORE_UNAVAILABLE.*Redis at 127\.0\.0\.1:1/) as string,
    })
  })

  test.each([
    ['{type: redis, connection_string: "127.0.0.1:1,foo=1"}', /unknown option `foo`/],
    ['{type: redis, redis_type: redis_sentinel, connection_string: "127.0.0.1:1"}', /sentinel_master/],
    ['{type: cassandra, hosts: [127.0.0.1], keyspace: system}', /one of Cassandra's own/],
    [
      '{type: cassandra, hosts: [127.0.0.1], keyspace: f, tls: {ca_file: nope.pem}}',
      /nope\.pem can't be read/,
    ],
  ])('is told by validate that %s makes no sense, without asking it', async (block, reason) => {
    useStore(block)
    const {code, stderr} = await runFs(['validate', ...repo])
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(reason) as string})
    expect(stderr).toContain('FS_CONFIG_INVALID')
    // At the setting that the message names, or at the block.
    expect(stderr).toMatch(/at feature_store\.yaml:\d+:(?!1\n)\d+/)
  })
})
