import {spawnSync} from 'node:child_process'
import {chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setImmediate} from 'node:timers/promises'
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest'
import {openRegistry} from '../../src/registry/drivers.js'
import {acquireFileLock} from '../../src/registry/file/file-lock.js'
import type {Registry} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'
import {describeRegistry} from '../conformance/registry.js'
import {sampleDocument} from './sample-document.js'
import {bundleFixture, startFixture} from './start-fixture.js'

describeRegistry('file', async () => {
  const repoDirectory = await newFolder()
  return {
    isShared: false,
    open: (project) => openRegistry({location: 'data/registry.json', project, repoDirectory}),
    [Symbol.asyncDispose]: () => rm(repoDirectory, {recursive: true}),
  }
})

describe('file registry', () => {
  let folder: string
  let path: string
  let registry: Registry

  beforeEach(async () => {
    folder = await newFolder()
    path = join(folder, 'registry.json')
    registry = await open(path)
  })

  it('is JSON that people can read', async () => {
    const {revision} = await registry.commit(sampleDocument(), (await registry.read()).revision)
    const text = await readFile(path, 'utf8')
    expect(text.replace(revision, 'REVISION')).toMatchSnapshot()
  })

  it('leaves nothing beside the document', async () => {
    await registry.commit(sampleDocument(), (await registry.read()).revision)
    expect(await readdir(folder)).toEqual(['registry.json'])
    await registry.destroy()
    expect(await readdir(folder)).toEqual([])
  })

  it('creates nothing to read, and nothing to destroy what never was', async () => {
    const nowhere = await open(join(folder, 'not/there/registry.json'))
    await nowhere.read()
    await nowhere.destroy()
    expect(await readdir(folder)).toEqual([])
  })

  it('keeps the mode of the file, and the link that leads to it', async () => {
    await registry.commit(sampleDocument(), 'none')
    await chmod(path, 0o664)
    const link = join(folder, 'link.json')
    await symlink(path, link)
    const linked = await open(link)
    const next = await linked.commit(sampleDocument(), (await linked.read()).revision)
    expect(await registry.read()).toEqual(next)
    expect((await stat(path)).mode & 0o777).toBe(0o664)
  })

  it('sweeps what writers left that were killed', async () => {
    await writeFile(`${path}.new-0`, '{"half":')
    await writeFile(
      `${path}.lock.wait-abc`,
      JSON.stringify({token: 'abc', holder: {...gone(), host: await holderHost(folder)}}),
    )
    await registry.commit(sampleDocument(), 'none')
    expect(await readdir(folder)).toEqual(['registry.json'])
  })

  it('sweeps what a writer left that was killed before it wrote a word, and nothing of one that lives', async () => {
    const waiting = await waitingCandidate(folder)
    const {pid: dead} = spawnSync(process.execPath, ['-e', '0'])
    const ofDead = waiting.replace(`-${process.pid}-`, `-${dead}-`)
    expect(ofDead).not.toBe(waiting)
    await writeFile(`${path}.lock${ofDead}`, '')
    await writeFile(`${path}.lock${waiting}`, '')
    await registry.commit(sampleDocument(), 'none')
    expect((await readdir(folder)).sort()).toEqual(['registry.json', `registry.json.lock${waiting}`])
  })

  it.each([
    ['', 'it is not JSON'],
    ['[]', 'it is not an object, but []'],
    ['{}', 'its `format` is not `feature-repo registry`'],
    [
      '{"format":"feature-repo registry","version":99}',
      'format version is 99, and this release reads version 1',
    ],
  ])('says why %j is no registry, and overwrites nothing', async (text, reason) => {
    await writeFile(path, text)
    const refusal = {code: 'FS_REGISTRY_UNREADABLE', message: expect.stringContaining(reason)}
    await expect(registry.read()).rejects.toMatchObject(refusal)
    await expect(registry.commit(sampleDocument(), 'none')).rejects.toMatchObject(refusal)
    await expect(registry.destroy()).rejects.toMatchObject(refusal)
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it.each([
    [/"covered": \[/, '"covered": {', 'JSON'],
    [/"2024-05-01T00:00:00Z"/, '"2024-13-01"', '`views.driver_hourly_stats.covered.0.end` is not an instant'],
    [/"table": "driver[^"]+"/, '"table": 7', '`views.driver_hourly_stats.table` is not text, but 7'],
    [/"join_keys"/, '"keys"', '`definitions.0` is not a definition'],
    [
      /"knowledge_time": true/,
      '"knowledge_time": true, "streaming": "always"',
      'feature_view/driver_hourly_stats), streaming',
    ],
    [/"status": "running"/, '"status": "walking"', 'one of running, ok, failed, interrupted, but "walking"'],
  ])('names what it can not understand: %s as %s', async (from, to, reason) => {
    await registry.commit(sampleDocument(), 'none')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(from, to))
    await expect(registry.read()).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
      message: expect.stringContaining(reason),
    })
  })

  it('says that its path is a folder, or leads through a file', async () => {
    await mkdir(join(folder, 'data'))
    await expect((await open(join(folder, 'data'))).read()).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
      message: expect.stringContaining('it is a folder'),
    })
    await writeFile(join(folder, 'file'), '')
    const through = await open(join(folder, 'file/registry.json'))
    await expect(through.commit(sampleDocument(), 'none')).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNWRITABLE',
      message: expect.stringContaining('a part of its path is a file'),
    })
  })

  it('does not change the document when its lock was taken away', async () => {
    const lock = await acquireFileLock(`${path}.lock`)
    await rm(`${path}.lock`)
    await expect(lock.verify()).rejects.toMatchObject({code: 'FS_REGISTRY_LOCKED'})
    const other = await acquireFileLock(`${path}.lock`)
    await lock.release()
    await other.verify()
    await other.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('names the holder of a lock that is not released, and leaves a foreign one alone', async () => {
    const lock = `${path}.lock`
    const text = JSON.stringify({token: 'abc', holder: {...gone(), host: 'far-away'}})
    await writeFile(lock, text)
    await expect(acquireFileLock(lock, 50)).rejects.toMatchObject({
      code: 'FS_REGISTRY_LOCKED',
      message: expect.stringContaining('process 4711 on far-away'),
    })
    await writeFile(lock, '')
    await expect(acquireFileLock(lock, 50)).rejects.toMatchObject({
      code: 'FS_REGISTRY_LOCKED',
      hint: expect.stringContaining(lock),
    })
    expect(await readdir(folder)).toEqual(['registry.json.lock'])
  })
})

describe('file registry between processes', () => {
  let updateMany: string
  let holdLock: string

  beforeAll(async () => {
    updateMany = await bundleFixture(new URL('fixtures/update-many.ts', import.meta.url))
    holdLock = await bundleFixture(new URL('fixtures/hold-lock.ts', import.meta.url))
  })

  afterAll(async () => {
    await Promise.all([updateMany, holdLock].map((bundle) => rm(bundle)))
  })

  it('loses none of 200 updates that five processes make at once', async () => {
    const path = join(await newFolder(), 'registry.json')
    const writers = ['a', 'b', 'c', 'd', 'e'].map((name) => startFixture(updateMany, [path, name, '40']))
    expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual([0, 0, 0, 0, 0])
    const {document} = await (await open(path)).read()
    expect(document.pendingDrops).toHaveLength(200)
    expect(new Set(document.pendingDrops).size).toBe(200)
  })

  it('goes on when the holder of the lock is killed, with many waiting for it', async () => {
    const path = join(await newFolder(), 'registry.json')
    const holder = startFixture(holdLock, [`${path}.lock`])
    await holder.printed('held')
    const registry = await open(path)
    const updates = Array.from({length: 8}, (_, index) =>
      updateRegistry(registry, (document) => ({
        ...document,
        pendingDrops: [...document.pendingDrops, `update_${index}`],
      })),
    )
    await holder.kill()
    await Promise.all(updates)
    expect((await registry.read()).document.pendingDrops).toHaveLength(8)
  })

  it('is broken into once, however many processes find the same dead holder', async () => {
    for (let round = 0; round < 3; round += 1) {
      const path = join(await newFolder(), 'registry.json')
      const holder = startFixture(holdLock, [`${path}.lock`])
      await holder.printed('held')
      await holder.kill()
      const writers = ['a', 'b', 'c', 'd'].map((name) => startFixture(updateMany, [path, name, '5']))
      expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual([0, 0, 0, 0])
      expect((await (await open(path)).read()).document.pendingDrops).toHaveLength(20)
    }
  })

  it('keeps what was acknowledged by writers that are killed at any moment', async () => {
    const folder = await newFolder()
    const path = join(folder, 'registry.json')
    const acknowledged: string[] = []
    for (let round = 0; round < 8; round += 1) {
      const writers = ['a', 'b'].map((name) => startFixture(updateMany, [path, `${name}${round}`, '1000']))
      await Promise.all(
        writers.map((writer, index) => writer.printed(`${'ab'[index] ?? ''}${round}_${round}`)),
      )
      for (const writer of writers) {
        await writer.kill()
        acknowledged.push(...writer.lines)
      }
    }
    const registry = await open(path)
    const {revision, document} = await registry.read()
    expect(document.pendingDrops).toEqual(expect.arrayContaining(acknowledged))
    await registry.commit(document, revision)
    expect(await readdir(folder)).toEqual(['registry.json'])
  })
})

async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'fs-registry-'))
}

function open(location: string): Promise<Registry> {
  return openRegistry({location, project: 'rides', repoDirectory: '/'})
}

function gone(): object {
  return {host: '', pid: 4711, boot_id: 'another boot', started_at: '1'}
}

/** How this process's own candidates for a lock are named, behind the name of the lock. */
async function waitingCandidate(folder: string): Promise<string> {
  const lock = join(folder, 'probe')
  const held = await acquireFileLock(lock)
  const second = acquireFileLock(lock)
  let name: string | undefined
  while (name === undefined) {
    name = (await readdir(folder)).find((one) => one.startsWith('probe.wait-'))
    await setImmediate()
  }
  await held.release()
  await (await second).release()
  return name.slice('probe'.length)
}

/** How this machine calls itself in a lock. */
async function holderHost(folder: string): Promise<string> {
  const lock = join(folder, 'probe')
  const held = await acquireFileLock(lock)
  const {holder} = JSON.parse(await readFile(lock, 'utf8')) as {holder: {host: string}}
  await held.release()
  return holder.host
}
