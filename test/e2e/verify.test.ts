import {spawn} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {Value} from '../../src/definitions/value-type.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {onlineRows, onlineTable} from '../conformance/online-store.js'
import {fsBin, runFs, runFsJson} from '../support/run-fs.js'

const micros = (text: string): bigint => BigInt(Date.parse(text)) * 1000n
const now = ['--now', '2026-01-10']
const table = onlineTable('visits', {user: 'string', shop: 'int64'}, {count: 'int64', last: 'timestamp'})

describe('fs verify', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-verify-'))
  const repo = ['-C', folder]

  beforeAll(async () => {
    writeFileSync(join(folder, 'feature_store.yaml'), 'project: rides\n')
    writeFileSync(
      join(folder, 'visits.csv'),
      `user,shop,event_timestamp,count,last
a:b,1,2026-01-01T00:00:00Z,9007199254740993,2026-01-01T00:00:00.000001Z
a,1,2026-01-02T00:00:00Z,2,
a,11,2026-01-03T00:00:00Z,3,2026-01-03T00:00:00Z
`,
    )
    writeFileSync(
      join(folder, 'features.yaml'),
      `kind: entity
name: user
join_keys: [{name: user, value_type: string}]
---
kind: entity
name: shop
join_keys: [{name: shop, value_type: int64}]
---
kind: data_source
name: visits_file
type: file
path: visits.csv
timestamp_field: event_timestamp
---
kind: feature_view
name: visits
entities: [user, shop]
source: visits_file
schema: [{name: count, dtype: int64}, {name: last, dtype: timestamp}]
`,
    )
    await runFsJson(['apply', '--yes', ...repo])
  })
  beforeEach(async () => {
    await withOnline(async (store) => {
      await store.drop(['visits'])
      await store.prepare([table])
    })
    await runFsJson(['materialize', '2025-01-01', '2026-01-10', ...now, ...repo])
  })
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  async function withOnline(use: (store: OnlineStore) => Promise<void>): Promise<void> {
    const settings = {path: 'data/online'}
    const at = {project: 'rides', repoDirectory: folder, access: 'write'} as const
    const store = await openOnlineStore({type: 'embedded', settings}, at)
    try {
      await use(store)
    } finally {
      await store[Symbol.asyncDispose]()
    }
  }

  const write = (key: readonly Value[], event: string, values: readonly (Value | null)[]): Promise<void> =>
    withOnline(async (store) => {
      const rows = onlineRows(table, [{key, event: micros(event), created: null, values}])
      expect(await store.write(table, rows)).toMatchObject({written: 1})
    })

  test('says that all is equal, and exits with 0', async () => {
    const result = await runFs(['verify', ...now, ...repo])
    expect(result).toMatchObject({code: 0, stderr: expect.stringContaining('visits: done') as string})
    expect(result.stdout).toMatch(/✓ {2}visits +3 +3 +0 +0 +0 +0 {2}2026-01-10T00:00:00Z/)
    expect(await runFs(['verify', '--quiet', ...now, ...repo])).toEqual({code: 0, stdout: '', stderr: ''})
  })

  test('names keys, features and values of what differs, and exits with 1', async () => {
    await write(['a', 1n], '2026-01-02T00:00:00Z', [7n, micros('2026-01-02T00:00:00Z')])
    await write(['a', 11n], '2026-01-05T00:00:00Z', [3n, null])
    const {code, stdout} = await runFs(['verify', '--quiet', ...now, ...repo])
    expect(code).toBe(1)
    expect(stdout).toContain(
      'different  user=a, shop=1  count is 7, expected 2; last is 2026-01-02T00:00:00Z, expected null',
    )
    expect(stdout).toContain(
      'extra      user=a, shop=11  a row of 2026-01-05T00:00:00Z, which the source does not have',
    )
    expect(await runFs(['verify', '--max-mismatch', '1', ...now, ...repo])).toMatchObject({code: 1})
    expect(await runFs(['verify', '--max-mismatch', '2', ...now, ...repo])).toMatchObject({code: 0})
  })

  test('prints one document with --json, integers and times exact', async () => {
    await withOnline(async (store) => {
      await store.removeExpired(table, micros('2026-01-02T00:00:00Z'))
    })
    const {code, stdout} = await runFs(['verify', '--all', '--json', ...now, ...repo])
    expect(code).toBe(1)
    expect(stdout).toContain('"expected": 9007199254740993')
    expect(JSON.parse(stdout)).toMatchObject({
      differences: 1,
      views: [
        {
          name: 'visits',
          status: 'checked',
          as_of: '2026-01-10T00:00:00Z',
          checked: 3,
          equal: 2,
          missing: 1,
          extra: 0,
          different: 0,
          due: 0,
          examples: [
            {
              kind: 'missing',
              key: {user: 'a:b', shop: 1},
              event_timestamp: {expected: '2026-01-01T00:00:00Z', found: null},
              features: {last: {expected: '2026-01-01T00:00:00.000001Z', found: null}},
            },
          ],
        },
      ],
    })
    // What is missing comes back by loading it again.
    await runFsJson(['materialize', '2025-01-01', '2026-01-10', ...now, ...repo])
    expect(await runFsJson(['verify', ...now, ...repo])).toMatchObject({views: [{equal: 3}]})
  })

  test('checks a part of the keys, and again the same', async () => {
    const sampled = () => runFsJson(['verify', '--sample', '2', ...now, ...repo])
    expect(await sampled()).toMatchObject({views: [{checked: 2, equal: 2}]})
    await withOnline(async (store) => {
      await store.drop(['visits'])
      await store.prepare([table])
    })
    const lost = async () =>
      JSON.parse((await runFs(['verify', '--sample', '2', '--json', ...now, ...repo])).stdout) as unknown
    const first = await lost()
    expect(first).toMatchObject({differences: 2})
    expect(await lost()).toEqual(first)
  })

  test('refuses what makes no sense', async () => {
    expect(await runFs(['verify', '--view', 'visit', ...repo])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('FS_REFERENCE_UNKNOWN') as string,
    })
    expect(await runFs(['verify', '--all', '--sample', '3', ...repo])).toMatchObject({code: 2})
    expect(await runFs(['verify', '--sample', '0', ...repo])).toMatchObject({code: 2})
    expect(await runFs(['verify', '--max-reads-per-second', '0', ...repo])).toMatchObject({code: 2})
  })

  test('stops at Ctrl-C, and exits with 130', async () => {
    const slowly = ['verify', '--max-reads-per-second', '1', ...now, ...repo]
    const child = spawn(process.execPath, [fsBin, ...slowly], {stdio: ['ignore', 'ignore', 'pipe']})
    child.stderr.once('data', () => child.kill('SIGINT'))
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130)
  })
})
