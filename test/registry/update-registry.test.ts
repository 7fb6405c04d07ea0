import {mkdtemp} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openRegistry} from '../../src/registry/drivers.js'
import type {Registry, RegistryDocument, RunRecord} from '../../src/registry/registry.js'
import {recordRun, updateRegistry} from '../../src/registry/update-registry.js'
import {sampleDocument, sampleIdentity} from './sample-document.js'

describe('updateRegistry', () => {
  it('commits nothing when nothing changes', async () => {
    const registry = await newRegistry()
    const before = await registry.read()
    expect(await updateRegistry(registry, (document) => document)).toEqual(before)
    expect(await registry.read()).toEqual(before)
  })

  it('starts again from what another writer committed', async () => {
    const registry = await newRegistry()
    let interfered: Promise<unknown> | undefined
    const intruder: Registry = Object.create(registry, {
      commit: {
        async value(document: RegistryDocument, revision: string) {
          interfered ??= updateRegistry(registry, addDrop('theirs'))
          await interfered
          return registry.commit(document, revision)
        },
      },
      read: {value: () => registry.read()},
    }) as Registry
    const {document} = await updateRegistry(intruder, addDrop('ours'))
    expect(document.pendingDrops).toEqual(['theirs', 'ours'])
  })

  it('gives up after so many conflicts', async () => {
    const registry = await newRegistry()
    let commits = 0
    const contended: Registry = Object.create(registry, {
      read: {
        async value() {
          const snapshot = await registry.read()
          await updateRegistry(registry, addDrop(`theirs_${(commits += 1)}`))
          return snapshot
        },
      },
      commit: {value: registry.commit.bind(registry)},
    }) as Registry
    await expect(
      updateRegistry(contended, addDrop('ours'), {attempts: 3, random: () => 0}),
    ).rejects.toMatchObject({
      code: 'FS_REGISTRY_CONFLICT',
    })
    expect((await registry.read()).document.pendingDrops).toEqual(['theirs_1', 'theirs_2', 'theirs_3'])
  })

  it('ends with what the change throws', async () => {
    const registry = await newRegistry()
    const failure = new Error('no')
    await expect(
      updateRegistry(registry, () => {
        throw failure
      }),
    ).rejects.toBe(failure)
  })
})

describe('recordRun', () => {
  const empty: RegistryDocument = {...sampleDocument(), runs: []}

  it('keeps runs newest first, each once', () => {
    const first = run('a', 1n)
    const document = [run('b', 2n), run('c', 3n), {...first, status: 'ok' as const}].reduce(
      recordRun,
      recordRun(empty, first),
    )
    expect(document.runs.map(({id, status}) => [id, status])).toEqual([
      ['c', 'running'],
      ['b', 'running'],
      ['a', 'ok'],
    ])
  })

  it('forgets the oldest beyond 100 runs, and beyond 2,000 views', () => {
    const ended = (...of: Parameters<typeof run>) => ({...run(...of), status: 'ok' as const})
    const many = Array.from({length: 130}, (_, index) => ended(`run_${index}`, BigInt(index)))
    const document = many.reduce(recordRun, empty)
    expect(document.runs).toHaveLength(100)
    expect(document.runs[0]?.id).toBe('run_129')

    const wide = Array.from({length: 9}, (_, index) => ended(`run_${index}`, BigInt(index), 500))
    expect(wide.reduce(recordRun, empty).runs).toHaveLength(4)
    expect(recordRun(empty, run('huge', 1n, 3000)).runs).toHaveLength(1)
  })

  it('forgets neither a run that goes on nor the one that has just ended, but bounds what seems to go on', () => {
    const long = run('long', 0n, 1500)
    const others = Array.from({length: 5}, (_, index) => ({
      ...run(`run_${index}`, BigInt(index + 1), 500),
      status: 'ok' as const,
    }))
    const document = others.reduce(recordRun, recordRun(empty, long))
    expect(document.runs.map(({id}) => id)).toContain('long')
    expect(recordRun(document, {...long, status: 'ok'}).runs.at(-1)).toMatchObject({id: 'long', status: 'ok'})
    const killed = Array.from({length: 700}, (_, index) => run(`run_${index}`, BigInt(index)))
    expect(killed.reduce(recordRun, empty).runs).toHaveLength(500)
  })
})

describe('openRegistry', () => {
  it('says which registries there are', async () => {
    await expect(
      openRegistry({location: 'gs://bucket/registry.json', project: 'rides', repoDirectory: '/'}),
    ).rejects.toMatchObject({code: 'FS_STORE_UNKNOWN', message: expect.stringContaining('`gs://`')})
  })
})

async function newRegistry(): Promise<Registry> {
  const repoDirectory = await mkdtemp(join(tmpdir(), 'fs-registry-'))
  return openRegistry({location: 'registry.json', project: 'rides', repoDirectory})
}

function addDrop(table: string): (document: RegistryDocument) => RegistryDocument {
  return (document) => ({...document, pendingDrops: [...document.pendingDrops, table]})
}

function run(id: string, startedAt: bigint, views = 1): RunRecord {
  return {
    id,
    command: 'materialize',
    status: 'running',
    holder: sampleIdentity,
    startedAt,
    views: Array.from({length: views}, (_, index) => ({
      name: `view_${index}`,
      status: 'running',
      intervals: [],
      rows: {read: 0, written: 0, unchanged: 0, rejected: 0, deleted: 0},
    })),
  }
}
