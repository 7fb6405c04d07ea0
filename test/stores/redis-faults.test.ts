import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test, vi} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import {LoadPacer} from '../../src/online/pacing/load-pacer.js'
import {staticPacing} from '../../src/online/pacing/static-pacing.js'
import {onlineRows, onlineTable} from '../conformance/online-store.js'
import {RedisServer} from '../support/redis-server.js'
import type {FsResult} from '../support/run-fs.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {VersionedRepo} from '../support/versioned-repo.js'

const drivers = 60_000
/** A version of as many changes 150,000 keys, which are gone through in order: such a load can go on where another ended. */
const driversOfLongLoad = 300_000
/** What a load of one more version sends: half of the rows, some hundred bytes each. */
const bytesOfLoad = (count: number): number => 45 * count
/** Makes that load take some seconds. */
const bytesPerSecond = 1_000_000

/** A repo whose newest version is not loaded, the way to its Redis, and that Redis. */
class Stage implements AsyncDisposable {
  readonly server: RedisServer
  readonly proxy: TcpProxy
  readonly repo: VersionedRepo
  /** The newest one. */
  version = 1
  readonly #bytesOfLoad: number

  private constructor(server: RedisServer, proxy: TcpProxy, repo: VersionedRepo, bytes: number) {
    this.server = server
    this.proxy = proxy
    this.repo = repo
    this.#bytesOfLoad = bytes
  }

  /** Nothing is loaded. */
  static async setEmpty(ttl?: string, count = drivers): Promise<Stage> {
    const server = await RedisServer.start()
    const proxy = await TcpProxy.start(server.port)
    const onlineStore = `{type: redis, connection_string: "127.0.0.1:${proxy.port}"}`
    try {
      const repo = await VersionedRepo.create(onlineStore, count, ttl)
      return new Stage(server, proxy, repo, bytesOfLoad(count))
    } catch (error) {
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The first version is loaded, the second one is not. */
  static async set(count = drivers): Promise<Stage> {
    const stage = await Stage.setEmpty(undefined, count)
    expect(await stage.repo.load(1)).toMatchObject({code: 0})
    stage.version = 2
    await stage.repo.writeVersion(2)
    return stage
  }

  /** Loads the newest version while faults come, each when its share of the load is on its way; then the way is good. */
  async loadUnder(
    ...faults: readonly {readonly after: number; readonly fault: () => unknown}[]
  ): Promise<FsResult> {
    const before = this.proxy.bytes.up
    this.proxy.bandwidth(bytesPerSecond)
    let hasEnded = false
    const load = this.repo.load(this.version).finally(() => {
      hasEnded = true
      this.proxy.heal()
    })
    for (const {after, fault} of faults) {
      while (this.proxy.bytes.up - before < after * this.#bytesOfLoad && !hasEnded) await sleep(1)
      // Else it is no fault in mid-run, and the test says nothing.
      expect(hasEnded).toBe(false)
      await fault()
    }
    return load
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.repo[Symbol.dispose]()
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
  }
}

test.concurrent('connections that break, again and again', async () => {
  await using stage = await Stage.set()
  const {repo, proxy} = stage
  const before = proxy.connections
  const cuts = [0.1, 0.3, 0.5, 0.7].map((after) => ({after, fault: () => proxy.cut()}))
  expect(await stage.loadUnder(...cuts)).toMatchObject({code: 0})
  expect(proxy.connections - before).toBeGreaterThan(cuts.length)
  await repo.expectVersion(2)
  expect(await repo.runs()).toEqual(['ok', 'ok'])
})

test.concurrent('a silence that outlasts the time of a command', async () => {
  await using stage = await Stage.set()
  const {repo, proxy} = stage
  const silence = async (): Promise<void> => {
    proxy.silence()
    await sleep(7000)
    proxy.heal()
  }
  expect(await stage.loadUnder({after: 0.4, fault: silence})).toMatchObject({code: 0})
  await repo.expectVersion(2)
  expect(await repo.runs()).toEqual(['ok', 'ok'])
})

test.concurrent('a silence that begins between two batches is known to who paces them', async () => {
  await using stage = await Stage.setEmpty()
  const {proxy} = stage
  const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
  await using store = await openOnlineStore(
    {type: 'redis', settings: {connectionString: `127.0.0.1:${proxy.port}`}},
    {project: 'rides', repoDirectory: '/', access: 'write'},
  )
  await store.prepare([table])
  const pacer = new LoadPacer({policy: staticPacing({maxConcurrency: 2}), patienceMillis: 60_000})
  const rows = onlineRows(table, [{key: [1n], event: 1n, created: null, values: [1n]}])
  proxy.silence()
  const writing = store.write(table, rows, undefined, {pacer})
  await vi.waitFor(() => expect(pacer.metrics().retries.timeout).toBeGreaterThan(0), 20_000)
  proxy.heal()
  expect(await writing).toMatchObject({written: 1, unchanged: 0})
})

test.concurrent('a slow and narrow way', async () => {
  await using stage = await Stage.set()
  const {repo, proxy} = stage
  const worsen = (): void => {
    proxy.delay(40)
    proxy.bandwidth(bytesPerSecond / 2)
  }
  expect(await stage.loadUnder({after: 0.2, fault: worsen})).toMatchObject({code: 0})
  await repo.expectVersion(2)
})

test.concurrent('a silence without an end is told, and the next run does what is left', async () => {
  await using stage = await Stage.set()
  const {proxy} = stage
  const failed = await stage.loadUnder({after: 0.4, fault: () => proxy.silence()})
  expect(errorOf(failed)).toEqual({
    code: 'FS_STORE_UNAVAILABLE',
    message: `Redis at 127.0.0.1:${proxy.port}: Command timed out.`,
    hint: expect.stringContaining('the server is up') as string,
  })
  await expectHealed(stage)
})

test.concurrent('a server that comes back empty in mid-run', async () => {
  await using stage = await Stage.set()
  const {repo, server} = stage
  const restart = async (): Promise<void> => {
    await server.kill()
    await server.up()
  }
  expect(errorOf(await stage.loadUnder({after: 0.2, fault: restart}))).toMatchObject({
    message: expect.stringContaining('Online table stats of feature_view/stats is gone') as string,
  })
  // Half a table would look like a whole one.
  expect(await repo.status()).toMatchObject({lost: true})
  await expectHealed(stage)
})

test.concurrent('a server that comes back with a part of the load', async () => {
  await using stage = await Stage.set()
  const {repo, server} = stage
  const save = (): Promise<string> => server.ask('save')
  const restart = async (): Promise<void> => {
    await server.kill()
    await server.up()
  }
  const loaded = await stage.loadUnder({after: 0.2, fault: save}, {after: 0.7, fault: restart})
  expect(loaded).toMatchObject({code: 0})
  const run = JSON.parse(loaded.stdout) as {readonly views: readonly unknown[]}
  expect(run.views).toMatchObject([
    {
      rows: {written: drivers / 2, rejected: 0},
      notes: [expect.stringContaining('a server of the online store ended during the load')],
    },
  ])
  await repo.expectVersion(2)
})

test.concurrent('a server that comes back with a part of a load that failed', async () => {
  await using stage = await Stage.set(driversOfLongLoad)
  const {repo, server} = stage
  const failed = await stage.loadUnder(
    {after: 0.3, fault: () => server.ask('save')},
    {after: 0.7, fault: () => server.kill()},
  )
  // Its place among those that write may have ended before its patience did.
  expect(errorOf(failed)).toMatchObject({
    code: expect.stringMatching(/^FS_(STORE_UNAVAILABLE|LEASE_LOST)$/) as string,
  })
  await server.up()
  const loaded = await repo.load(2)
  expect(loaded).toMatchObject({code: 0})
  expect(loaded.stdout).not.toContain('goes on where')
  await repo.expectVersion(2)
})

test.concurrent('a server that comes back from an older snapshot between two loads', async () => {
  await using stage = await Stage.setEmpty()
  const {repo, server} = stage
  await server.ask('save')
  expect(await repo.load(1)).toMatchObject({code: 0})
  await server.kill()
  await server.up()
  expect(await repo.status()).toMatchObject({lost: true})
  await repo.writeVersion(2)
  const loaded = await repo.load(2)
  expect(loaded).toMatchObject({code: 0})
  expect(loaded.stdout).toContain('the online store holds less than the last load left')
  await repo.expectVersion(2)
})

test.concurrent('a server that is full', async () => {
  await using stage = await Stage.set()
  const {server} = stage
  const fill = (): Promise<string> => server.ask('config', 'set', 'maxmemory', '1mb')
  expect(errorOf(await stage.loadUnder({after: 0.4, fault: fill}))).toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringMatching(/OOM.*maxmemory/) as string,
    hint: expect.stringContaining('memory') as string,
  })
  await server.ask('config', 'set', 'maxmemory', '0')
  await expectHealed(stage)
})

test.concurrent('a server that became a replica', async () => {
  await using stage = await Stage.set()
  const {server} = stage
  // Of a master that is not there, so that it keeps what it has.
  const demote = (): Promise<string> => server.ask('replicaof', '127.0.0.1', '1')
  const failed = await stage.loadUnder({after: 0.4, fault: demote})
  expect(errorOf(failed)).toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringContaining('READONLY') as string,
    hint: expect.stringContaining('primary') as string,
  })
  expectQuiet(failed)
  expect(failed.stderr).toMatch(/^stats: waiting for the online store: .*READONLY/m)
  await server.ask('replicaof', 'no', 'one')
  await expectHealed(stage)
})

test.concurrent('a server that is a replica for a moment', async () => {
  await using stage = await Stage.set()
  const {repo, server} = stage
  const demote = async (): Promise<void> => {
    await server.ask('replicaof', '127.0.0.1', '1')
    await sleep(2000)
    await server.ask('replicaof', 'no', 'one')
  }
  expect(await stage.loadUnder({after: 0.4, fault: demote})).toMatchObject({code: 0})
  await repo.expectVersion(2)
})

test.concurrent('a server that is a replica when the load begins', async () => {
  await using stage = await Stage.set()
  const {repo, server} = stage
  await server.ask('replicaof', '127.0.0.1', '1')
  const load = repo.load(2)
  await sleep(9000)
  await server.ask('replicaof', 'no', 'one')
  const loaded = await load
  expect(loaded).toMatchObject({code: 0})
  expect(loaded.stderr).toMatch(
    /^stats: waiting for the online store: it has not taken note of this run yet$/m,
  )
  await repo.expectVersion(2)
})

/** Rows that expire go into an empty store as many commands at once, each with a reply of its own. */
test.concurrent('connections that break in a first load of rows that expire', async () => {
  await using stage = await Stage.setEmpty('36500d')
  const cuts = [0.1, 0.3, 0.5, 0.7].map((after) => ({after, fault: () => stage.proxy.cut()}))
  expect(await stage.loadUnder(...cuts)).toMatchObject({code: 0})
  await stage.repo.expectVersion(1)
})

test.concurrent('a silence in a first load of rows that expire', async () => {
  await using stage = await Stage.setEmpty('36500d')
  const silence = async (): Promise<void> => {
    stage.proxy.silence()
    await sleep(7000)
    stage.proxy.heal()
  }
  expect(await stage.loadUnder({after: 0.4, fault: silence})).toMatchObject({code: 0})
  await stage.repo.expectVersion(1)
})

test.concurrent('a first load of rows that expire into a server that is full', async () => {
  await using stage = await Stage.setEmpty('36500d')
  const fill = (): Promise<string> => stage.server.ask('config', 'set', 'maxmemory', '1mb')
  expect(errorOf(await stage.loadUnder({after: 0.4, fault: fill}))).toMatchObject({
    message: expect.stringMatching(/OOM.*maxmemory/) as string,
  })
  await stage.server.ask('config', 'set', 'maxmemory', '0')
  expect(await stage.repo.load(1)).toMatchObject({code: 0})
  await stage.repo.expectVersion(1)
})

test.concurrent('a first load of rows that expire into a server that is a replica for a moment', async () => {
  await using stage = await Stage.setEmpty('36500d')
  const demote = async (): Promise<void> => {
    await stage.server.ask('replicaof', '127.0.0.1', '1')
    await sleep(2000)
    await stage.server.ask('replicaof', 'no', 'one')
  }
  const loaded = await stage.loadUnder({after: 0.4, fault: demote})
  expect(loaded).toMatchObject({code: 0})
  expectQuiet(loaded)
  await stage.repo.expectVersion(1)
})

/** Many commands that fail at once are one failure, and nothing of the client or of Node.js comes through. */
function expectQuiet({stderr}: FsResult): void {
  expect(stderr.split('\n').filter((line) => !/^(stats: .*)?$/.test(line))).toEqual([])
}

/** What a load that failed said of its view. */
function errorOf({code, stdout}: FsResult): unknown {
  expect(code).toBe(1)
  const {views} = JSON.parse(stdout) as {readonly views: readonly {readonly error: unknown}[]}
  return views[0]?.error
}

/** The load that failed counts for nothing, and the next one, with no fault, does it all. */
async function expectHealed({repo}: Stage): Promise<void> {
  expect(await repo.status()).toMatchObject({
    covered: [{end: '2026-01-01T01:00:00Z'}],
    loading: null,
  })
  expect(await repo.load(2)).toMatchObject({code: 0})
  await repo.expectVersion(2)
  expect(await repo.runs()).toEqual(['ok', 'failed', 'ok'])
}
