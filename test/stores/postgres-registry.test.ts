import {rmSync, writeFileSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {AppliedRepo} from '../../src/applied-repo.js'
import {openRegistry} from '../../src/registry/drivers.js'
import type {Registry} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'
import {describeRegistry} from '../conformance/registry.js'
import {sampleDocument} from '../registry/sample-document.js'
import {bundleFixture, startFixture} from '../registry/start-fixture.js'
import {PostgresServer} from '../support/postgres-server.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'
import {TcpProxy} from '../support/tcp-proxy.js'

let server: PostgresServer
let updateMany: string
let databases = 0
beforeAll(async () => {
  server = await PostgresServer.start({tls: true})
  updateMany = await bundleFixture(new URL('../registry/fixtures/update-many.ts', import.meta.url))
})
afterAll(() => server[Symbol.asyncDispose]())

/** The URL of a new database. */
async function newDatabase(): Promise<string> {
  const name = `registry_${(databases += 1)}`
  await server.query(`CREATE DATABASE ${name}`)
  return server.url(name)
}

const open = (location: string): Promise<Registry> =>
  openRegistry({location, project: 'rides', repoDirectory: '/'})

const adding =
  (name: string) =>
  <T extends {readonly pendingDrops: readonly string[]}>(document: T): T => ({
    ...document,
    pendingDrops: [...document.pendingDrops, name],
  })

describeRegistry('postgres', async () => {
  const location = await newDatabase()
  return {
    isShared: true,
    open: (project) => openRegistry({location, project, repoDirectory: '/'}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
})

describe('a registry in PostgreSQL', () => {
  let location: string
  beforeEach(async () => {
    location = await newDatabase()
  })

  test('creates nothing to read, nor to destroy what never was', async () => {
    await using registry = await open(location)
    await registry.read()
    await registry.destroy()
    const tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
    expect(await server.query(tables, database())).toEqual([])
  })

  test('is a row that people can query', async () => {
    await using registry = await open(location)
    await registry.commit(sampleDocument(), 'none')
    const names = `SELECT project, d->>'name' AS name FROM feature_store_registry,
      json_array_elements(document->'definitions') AS d WHERE d->>'kind' = 'entity' LIMIT 1`
    expect(await server.query(names, database())).toMatchObject([
      {project: 'rides', name: expect.any(String)},
    ])
  })

  test('loses none of 200 updates that five processes make at once', async () => {
    const writers = ['a', 'b', 'c', 'd', 'e'].map((name) => startFixture(updateMany, [location, name, '40']))
    expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual([0, 0, 0, 0, 0])
    const {document} = await readAll()
    expect(document.pendingDrops).toHaveLength(200)
    expect(new Set(document.pendingDrops).size).toBe(200)
  })

  test('keeps what was acknowledged by writers that are killed at any moment', async () => {
    const acknowledged: string[] = []
    for (let round = 0; round < 6; round += 1) {
      const writers = ['a', 'b'].map((name) =>
        startFixture(updateMany, [location, `${name}${round}`, '1000']),
      )
      await Promise.all(
        writers.map((writer, index) => writer.printed(`${'ab'[index] ?? ''}${round}_${round}`)),
      )
      for (const writer of writers) {
        await writer.kill()
        acknowledged.push(...writer.lines)
      }
    }
    expect((await readAll()).document.pendingDrops).toEqual(expect.arrayContaining(acknowledged))
  })

  test('goes on when the server was killed and comes back, and counts no update twice', async () => {
    const writer = startFixture(updateMany, [location, 'a', '400'])
    await writer.printed('a_20')
    await server.kill()
    await server.up()
    expect(await writer.ended).toBe(0)
    expect((await readAll()).document.pendingDrops).toEqual(
      Array.from({length: 400}, (_, index) => `a_${index}`),
    )
  })

  test('an update whose answer was lost counts once, also when others went on from it', async () => {
    await using proxy = await TcpProxy.start(server.port)
    const url = new URL(location)
    url.port = String(proxy.port)
    await using cut = await open(url.href)
    await using other = await open(location)
    await cut.read()
    // Answers stay behind until the connection is cut.
    let isDone = false
    const cutting = (async () => {
      while (!isDone) {
        proxy.delay(3)
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 40))
        proxy.cut()
      }
    })()
    const names = (who: string) => Array.from({length: 60}, (_, index) => `${who}_${index}`)
    const addAll = async (registry: Registry, who: string) => {
      for (const name of names(who)) await updateRegistry(registry, adding(name))
    }
    await Promise.all([addAll(cut, 'cut'), addAll(other, 'other')]).finally(() => (isDone = true))
    await cutting
    const {pendingDrops} = (await readAll()).document
    expect(pendingDrops.toSorted()).toEqual([...names('cut'), ...names('other')].toSorted())
    expect(proxy.connections).toBeGreaterThan(3)
  })

  test('that falls silent holds no read up for long: what was registered last holds, then what is new', async () => {
    await using proxy = await TcpProxy.start(server.port)
    const url = new URL(location)
    url.port = String(proxy.port)
    await using registry = await open(url.href)
    await updateRegistry(registry, () => sampleDocument())
    let time = 0n
    const applied = new AppliedRepo(
      () => Promise.resolve(registry),
      () => time,
    )
    const selection = {features: ['driver_hourly_stats:conv_rate']}
    const reader = await applied.onlineReader(selection, 0n)
    proxy.silence()
    // Each would wait for the registry for longer than this test may take.
    for (let round = 0; round < 5; round += 1) {
      time += 2_000_000n
      expect(await applied.onlineReader(selection, 0n)).toBe(reader)
    }
    proxy.heal()
    await using other = await open(location)
    await updateRegistry(other, (document) => ({
      ...document,
      definitions: {...document.definitions, featureViews: [], featureServices: []},
    }))
    await vi.waitFor(
      async () => {
        time += 2_000_000n
        await expect(Promise.resolve(applied.onlineReader(selection, 0n))).rejects.toMatchObject({
          code: 'FS_REFERENCE_UNKNOWN',
        })
      },
      {timeout: 60_000, interval: 200},
    )
  }, 90_000)

  test('speaks TLS, and asks who signed the certificate where it is told to', async () => {
    const ca = server.caFile ?? ''
    await using verified = await open(`${location}?sslmode=verify-full&sslrootcert=${ca}`)
    await verified.commit(sampleDocument(), 'none')
    await using unknown = await open(`${location}?sslmode=verify-full`)
    await expect(unknown.read()).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
      message: expect.stringMatching(/certificate/),
      hint: expect.stringContaining('sslrootcert'),
    })
  })

  test('a user who may not create tables is told so, and may use one that is there', async () => {
    await server.query(`DROP ROLE IF EXISTS reader`)
    await server.query(`CREATE ROLE reader LOGIN`)
    const asReader = server.url(database(), 'reader')
    await using registry = await open(asReader)
    await expect(registry.commit(sampleDocument(), 'none')).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNWRITABLE',
      message: expect.stringMatching(/permission denied for schema public/),
      hint: expect.stringContaining('feature_store_registry'),
    })
    await using owner = await open(location)
    const {revision} = await owner.commit(sampleDocument(), 'none')
    await server.query('GRANT SELECT, INSERT, UPDATE, DELETE ON feature_store_registry TO reader', database())
    await registry.commit(sampleDocument(), revision)
  })

  test.each([
    [
      'a database that is not there',
      (url: URL) => (url.pathname = '/nowhere'),
      /"nowhere" does not exist/,
      /Create the database/,
    ],
    [
      'a user who is not there',
      (url: URL) => (url.username = 'nobody'),
      /"nobody" does not exist/,
      /PGPASSWORD/,
    ],
    ['a port where nobody listens', (url: URL) => (url.port = '1'), /ECONNREFUSED/, /is up/],
    [
      'a host that is not there',
      (url: URL) => (url.hostname = 'nowhere.invalid'),
      /nowhere\.invalid/,
      /Check the host/,
    ],
  ])('%s is told, and the password is not', async (_, change, message, hint) => {
    const url = new URL(location)
    url.password = 'se:cr/et'
    change(url)
    await using registry = await open(url.href)
    const error = await registry.read().catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
    expect((error as Error).message).not.toContain('cr%2Fet')
    expect((error as Error).message).not.toContain('cr/et')
  })

  test('what is no URL is told', async () => {
    await expect(open('postgres://host:port/db')).rejects.toMatchObject({code: 'FS_CONFIG_INVALID'})
  })

  const database = (): string => new URL(location).pathname.slice(1)

  async function readAll() {
    await using registry = await open(location)
    return await registry.read()
  }
})

describe('fs with its registry in PostgreSQL', () => {
  let repo: string
  beforeEach(async () => {
    repo = createStatsRepo('{type: embedded}')
    const location = (await newDatabase()).replace('fs@', 'fs:secret@')
    writeFileSync(join(repo, 'feature_store.yaml'), `project: rides\nregistry: ${location}\n`)
    await writeStats(repo, 50, '1')
  })
  afterEach(() => rmSync(repo, {recursive: true}))

  test('applies, loads, tells and takes down, and shows no password', async () => {
    const applied = await runFs(['apply', '-C', repo])
    expect(applied).toMatchObject({code: 0})
    expect(applied.stdout).toContain(`postgres://fs@127.0.0.1:${server.port}/`)
    expect(applied.stdout + applied.stderr).not.toContain('secret')
    const run = await runFsJson(['materialize-incremental', '-C', repo])
    expect(run['views']).toMatchObject([{status: 'ok', rows: {written: 50}}])
    // Another machine with another copy of the repo sees the same.
    expect((await runFsJson(['status', '-C', repo]))['views']).toMatchObject([{rows: 50}])
    expect((await runFsJson(['runs', 'list', '-C', repo]))['runs']).toHaveLength(1)
    await expect(readFile(join(repo, 'data/registry.json'))).rejects.toThrow('ENOENT')
    expect(await runFs(['teardown', '--yes', '-C', repo])).toMatchObject({code: 0})
    expect(await runFsJson(['list', 'feature-views', '-C', repo])).toEqual({feature_views: []})
  })
})
