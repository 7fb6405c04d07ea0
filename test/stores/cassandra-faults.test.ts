import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import {CassandraServer} from '../support/cassandra-server.js'
import {makeCertificates} from '../support/certificates.js'
import {runFs} from '../support/run-fs.js'
import {sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {UniformRepo} from '../support/uniform-repo.js'

const drivers = 6000
/** So that a load lasts long enough to be disturbed. */
const write = {max_writes_per_second: 600, latency_target_ms: 5000}

async function appliedRepo(settings: object): Promise<UniformRepo> {
  const repo = new UniformRepo(JSON.stringify({type: 'cassandra', ...settings, write}), drivers)
  await repo.writeVersion(1)
  expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
  return repo
}

/** Loads all, and disturbs it once some rows are there; the load has to succeed all the same, and be whole. */
async function loadDisturbed(repo: UniformRepo, disturb: () => Promise<void>): Promise<void> {
  await using store = await FeatureStore.open(repo.folder)
  const sample = Array.from({length: 50}, (_, index) => index * 117)
  const load = runFs(['materialize-incremental', '-C', repo.folder])
  while (!(await answered(() => repo.readVersions(store, sample))).includes(1)) await sleep(50)
  expect(await answered(() => repo.readVersions(store, sample))).toContain(null)
  await disturb()
  const {code, stdout, stderr} = await load
  expect(code, stdout + stderr).toBe(0)
  expect(await answered(() => repo.readAllVersions(store))).toEqual(new Set([1]))
}

/** The load is what must not fail: a reader may be told that it has to wait, with three nodes on a machine for one. */
async function answered<T>(read: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      return await read()
    } catch (error) {
      const {code} = error as {readonly code?: unknown}
      if (code !== 'FS_STORE_UNAVAILABLE' || performance.now() > deadline) throw error
      await sleep(500)
    }
  }
}

describe('a load goes on', () => {
  let shared: SharedCassandra
  beforeAll(async () => {
    shared = await sharedCassandra()
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  test('when its connections are cut, again and again', async () => {
    await using network = await TcpProxy.start(shared.port)
    using repo = await appliedRepo({hosts: [`127.0.0.1:${network.port}`], keyspace: shared.keyspace})
    await loadDisturbed(repo, async () => {
      const before = network.connections
      for (let cut = 0; cut < 6; cut += 1) {
        network.cut()
        await sleep(500)
      }
      expect(network.connections).toBeGreaterThan(before)
    })
  })
})

describe('a server with TLS that asks for certificates and passwords', () => {
  let server: CassandraServer
  let settings: {readonly tls: object; readonly [key: string]: unknown}
  beforeAll(async () => {
    server = await CassandraServer.start({tls: 'mutual', auth: true})
    settings = {
      hosts: [`127.0.0.1:${server.port}`],
      keyspace: 'features',
      create_keyspace: {replication_factor: 1},
      username: server.username,
      password: server.password,
      tls: {ca_file: server.caFile, cert_file: server.certFile, key_file: server.keyFile},
    }
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('a load goes on when it is killed in mid-run and comes back', async () => {
    using repo = await appliedRepo(settings)
    await loadDisturbed(repo, async () => {
      await server.kill()
      await server.up()
    })
  })

  describe('says what is wrong', () => {
    const failure = async (changed: Record<string, unknown>): Promise<unknown> => {
      const {username, password} = server
      const tls = {caFile: server.caFile, certFile: server.certFile, keyFile: server.keyFile}
      const {hosts, keyspace} = settings
      await using store = await openOnlineStore(
        {type: 'cassandra', settings: {hosts, keyspace, username, password, tls, ...changed}},
        {project: 'rides', repoDirectory: '/', access: 'read'},
      )
      return await store.listTables().then(
        () => 'nothing',
        (error: unknown) => error,
      )
    }

    test('with nothing, where nothing is', async () => {
      expect(await failure({})).toBe('nothing')
    })

    test('with a password', async () => {
      expect(await failure({password: 'another'})).toMatchObject({
        code: 'FS_STORE_UNAVAILABLE',
        message: expect.stringMatching(/username cassandra and\/or password are incorrect/),
        hint: expect.stringContaining('password'),
      })
      expect(await failure({username: undefined, password: undefined})).toMatchObject({
        code: 'FS_STORE_UNAVAILABLE',
        hint: expect.stringContaining('password'),
      })
    })

    test('with a certificate of another authority', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fs-other-'))
      try {
        const {ca, certificate, key} = makeCertificates(folder)
        const {certFile, keyFile, caFile} = server
        expect(await failure({tls: {caFile: ca, certFile, keyFile}})).toMatchObject({
          code: 'FS_STORE_UNAVAILABLE',
          message: expect.stringMatching(/certificate/),
          hint: expect.stringContaining('online_store.tls'),
        })
        // And the server's own view of the client's.
        expect(await failure({tls: {caFile, certFile: certificate, keyFile: key}})).toMatchObject({
          code: 'FS_STORE_UNAVAILABLE',
          hint: expect.stringContaining('online_store.tls'),
        })
      } finally {
        rmSync(folder, {recursive: true, force: true})
      }
    })

    test('without a certificate of the client, and without TLS', async () => {
      expect(await failure({tls: {caFile: server.caFile}})).toMatchObject({
        code: 'FS_STORE_UNAVAILABLE',
        hint: expect.stringContaining('online_store.tls'),
      })
      expect(await failure({tls: undefined})).toMatchObject({
        code: 'FS_STORE_UNAVAILABLE',
        hint: expect.stringContaining('If it speaks TLS, set `online_store.tls`'),
      })
    })
  })
})

test('a server without TLS where TLS is set says what is wrong', async () => {
  await using store = await openOnlineStore(
    {type: 'cassandra', settings: {hosts: [`127.0.0.1:${inject('cassandraPort')}`], keyspace: 'x', tls: {}}},
    {project: 'rides', repoDirectory: '/', access: 'read'},
  )
  await expect(store.listTables()).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    hint: expect.stringContaining('online_store.tls'),
  })
})

describe('three nodes', () => {
  test('a load goes on when one is killed, with a quorum of the other two', {timeout: 300_000}, async () => {
    await using server = await CassandraServer.start({nodes: 3})
    using repo = await appliedRepo({
      hosts: server.contactPoints,
      keyspace: 'features',
      create_keyspace: {replication_factor: 3},
      consistency: {read: 'LOCAL_QUORUM', write: 'LOCAL_QUORUM'},
    })
    await loadDisturbed(repo, () => server.kill(1))

    // What runs note of loads is there for a quorum alone, also where rows are content with one node.
    await server.kill(2)
    const settings = join(repo.folder, 'feature_store.yaml')
    writeFileSync(settings, readFileSync(settings, 'utf8').replaceAll('LOCAL_QUORUM', 'ONE'))
    await using store = await FeatureStore.open(repo.folder)
    expect(await answered(() => repo.readAllVersions(store))).toEqual(new Set([1]))
    const {code, stderr} = await runFs(['materialize-incremental', '-C', repo.folder])
    expect(code, stderr).toBe(1)
    expect(stderr).toMatch(/LOCAL_QUORUM/)
  })
})
