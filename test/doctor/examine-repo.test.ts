import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {clockFinding} from '../../src/examination.js'
import {FeatureStore, type Check} from '../../src/feature-store.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'

let repo: string
beforeEach(async () => {
  repo = createStatsRepo('{type: embedded}')
  await writeStats(repo, 5, '1')
})
afterEach(() => rmSync(repo, {recursive: true}))

async function examine(environment: {readonly nodeVersion?: string} = {}): Promise<readonly Check[]> {
  const checks: Check[] = []
  for await (const check of FeatureStore.examine(repo, {environment})) checks.push(check)
  return checks
}
const failures = (checks: readonly Check[]): readonly Check[] => checks.filter(({status}) => status !== 'ok')

describe('what doctor finds', () => {
  test('in a repo where all is well: every part, and nothing is made', async () => {
    const checks = await examine()
    expect(failures(checks)).toEqual([])
    expect([...new Set(checks.map(({part}) => part))]).toEqual([
      'machine',
      'repo',
      'registry',
      'offline_store',
      'online_store',
    ])
    expect(checks).toContainEqual(
      expect.objectContaining({
        part: 'registry',
        name: 'readable',
        detail: expect.stringContaining('nothing applied'),
      }),
    )
    await using store = await FeatureStore.open(repo)
    expect((await store.status()).views).toEqual([])
  })

  test('in a folder without a repo: that, and no more', async () => {
    rmSync(join(repo, 'feature_store.yaml'))
    expect(failures(await examine())).toEqual([
      expect.objectContaining({
        part: 'repo',
        name: 'feature_store.yaml',
        status: 'failed',
        remedy: expect.any(String),
      }),
    ])
  })

  test('where definitions are wrong: how many, and the stores are looked at all the same', async () => {
    rmSync(join(repo, 'stats.parquet'))
    const checks = await examine()
    expect(failures(checks)).toEqual([
      expect.objectContaining({
        name: 'definitions',
        status: 'failed',
        remedy: expect.stringContaining('fs validate'),
      }),
    ])
    expect(checks.at(-1)?.part).toBe('online_store')
  })

  test('where the registry is damaged', async () => {
    mkdirSync(join(repo, 'data'))
    writeFileSync(join(repo, 'data/registry.json'), 'nonsense')
    expect(failures(await examine())).toEqual([
      expect.objectContaining({
        part: 'registry',
        name: 'readable',
        status: 'failed',
        detail: expect.stringContaining('JSON'),
      }),
    ])
  })

  test('where a folder may not be written', async () => {
    mkdirSync(join(repo, 'data'))
    writeFileSync(join(repo, 'data/online'), 'a file where a folder should be')
    const [found] = failures(await examine())
    expect(found).toMatchObject({part: 'online_store', status: 'failed'})
  })

  test('on a Node that is too old', async () => {
    expect(failures(await examine({nodeVersion: '20.18.3'}))).toMatchObject([
      {part: 'machine', name: 'node', status: 'failed'},
    ])
    expect(failures(await examine({nodeVersion: '24.0.0'}))).toEqual([])
  })
})

test.each([
  [1000, [900, 1100], 'ok', "as this machine's"],
  [500, [1000, 1100], 'ok', "as this machine's"],
  [9000, [1000, 2000], 'warning', "7.0 s ahead of this machine's"],
  [0, [90_000, 90_001], 'failed', "90.0 s behind this machine's"],
] as const)('a clock that says %i between %j is %s', (store, readAt, status, detail) => {
  expect(clockFinding(store, readAt)).toMatchObject({name: 'clock', status, detail})
})
