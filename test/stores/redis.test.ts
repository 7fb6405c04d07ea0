import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Redis} from 'ioredis'
import {afterAll, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {LoadPacer} from '../../src/online/pacing/load-pacer.js'
import {staticPacing} from '../../src/online/pacing/static-pacing.js'
import {describeOnlineStore, onlineRows, onlineTable} from '../conformance/online-store.js'
import {makeCertificates} from '../support/certificates.js'
import {RedisServer} from '../support/redis-server.js'

let server: RedisServer
let client: Redis
beforeAll(async () => {
  server = await RedisServer.start()
  client = new Redis({port: server.port})
})
afterAll(async () => {
  client.disconnect()
  await server[Symbol.asyncDispose]()
})

const openStore = (project: string, access: 'read' | 'write', more = ''): Promise<OnlineStore> =>
  openOnlineStore(
    {type: 'redis', settings: {connectionString: `127.0.0.1:${server.port}${more}`}},
    {project, repoDirectory: '/', access},
  )

describeOnlineStore('Redis', () =>
  Promise.resolve({open: openStore, close: () => client.flushall().then(() => undefined)}),
)

describe('what only Redis does', () => {
  const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
  const hour = 3_600_000_000n
  const now = BigInt(Date.now()) * 1000n
  const row = (id: bigint, event: bigint, trips = 0n) => ({key: [id], event, created: null, values: [trips]})
  beforeEach(() => client.flushall())

  test('a row expires by itself, as long after its event time as it is kept', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const rows = onlineRows(table, [row(1n, now), row(2n, now - hour)])
    await store.write(table, rows, {keepFor: 2n * hour, now})
    const keys = await client.keysBuffer('fs:rides:*')
    const lives = await Promise.all(keys.map((key) => client.pttl(key)))
    for (const [index, expected] of [3_600_000, 7_200_000].entries()) {
      const left = lives.toSorted((a, b) => a - b)[index] ?? 0
      expect(left).toBeGreaterThan(expected - 60_000)
      expect(left).toBeLessThanOrEqual(expected)
    }
    // Kept longer now: equal rows are not written anew, and yet live on.
    expect(await store.write(table, rows, {keepFor: 20n * hour, now})).toMatchObject({
      written: 0,
      unchanged: 2,
    })
    expect(Math.min(...(await Promise.all(keys.map((key) => client.pttl(key)))))).toBeGreaterThan(
      18 * 3_600_000,
    )
  })

  test('the process that holds rows is told by its id, where the user may ask', async () => {
    await using store = await openStore('rides', 'write')
    const info = await client.info('server')
    expect(await store.volatileServers()).toEqual([/^run_id:(\w+)/m.exec(info)?.[1]])
    await client.acl('SETUSER', 'mute', 'on', '>s', '+@all', '-info', '~fs:*')
    await using mute = await openOnlineStore(
      {type: 'redis', settings: {connectionString: `127.0.0.1:${server.port},username=mute,password=s`}},
      {project: 'rides', repoDirectory: '/', access: 'write'},
    )
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    expect(await mute.volatileServers()).toEqual([])
    expect(warned).not.toHaveBeenCalled()
    warned.mockRestore()
  })

  test('a row whose key is on its way already waits for it, and nothing is sent meanwhile', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const rows = Array.from({length: 500}, (_, id) => row(BigInt(id), now))
    const pacer = new LoadPacer({policy: staticPacing({maxConcurrency: 8}), patienceMillis: 5000})
    await store.write(table, onlineRows(table, [...rows, row(7n, now + 1n, 3n)]), undefined, {pacer})
    expect(pacer.metrics().requests).toBe(2)
    const [[found] = []] = await store.read([{table, keys: [[7n]], features: ['trips']}])
    expect(found?.values).toEqual([3n])
  })

  test('times that a double can not tell apart are told apart, infinities included', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const write = (event: bigint, trips: bigint) =>
      store.write(table, onlineRows(table, [row(1n, event, trips)]))
    const read = async () =>
      (await store.read([{table, keys: [[1n]], features: ['trips']}]))[0]?.[0]?.values[0]
    const times = [
      -(2n ** 63n) + 1n,
      -(2n ** 32n),
      -1n,
      0n,
      2n ** 32n,
      2n ** 62n,
      2n ** 62n + 1n,
      2n ** 63n - 1n,
    ]
    for (const [index, time] of times.entries()) {
      expect(await write(time, BigInt(index))).toMatchObject({written: 1})
      for (const earlier of times.slice(0, index))
        expect(await write(earlier, 99n)).toMatchObject({written: 0, unchanged: 1})
      expect(await read()).toBe(BigInt(index))
    }
  })

  test.each([
    ['kept for ever', undefined],
    ['that expire', {keepFor: now + hour, now}],
  ])('who takes a load of rows %s for the first one still keeps the newer ones', async (_, life) => {
    const ids = Array.from({length: 3000}, (_, id) => BigInt(id))
    const rows = (event: bigint, some = ids) =>
      onlineRows(
        table,
        some.map((id) => row(id, event, event)),
      )
    await using earlier = await openStore('rides', 'write')
    await earlier.prepare([table])
    await earlier.write(table, rows(5n, [0n, 700n, 2999n]), life)
    await using store = await openStore('rides', 'write')
    expect(await store.write(table, rows(4n), life)).toMatchObject({written: 2997, unchanged: 3})
    expect(await store.write(table, rows(4n), life)).toMatchObject({written: 0, unchanged: 3000})
    expect(await earlier.write(table, rows(6n), life)).toMatchObject({written: 3000})
    // And one that takes it for the first, too.
    await using another = await openStore('rides', 'write')
    expect(await another.write(table, rows(7n, [1n, 2n]), life)).toMatchObject({written: 2})
    expect(await another.write(table, rows(6n, [1n, 2n]), life)).toMatchObject({written: 0, unchanged: 2})
    const lives = await Promise.all((await client.keysBuffer('fs:rides:{*')).map((key) => client.pttl(key)))
    expect(lives.filter((left) => left > 0)).toHaveLength(life === undefined ? 0 : 3000)
    const [found] = await store.read([{table, keys: ids.map((id) => [id]), features: ['trips']}])
    expect(found?.map((one) => one?.values[0])).toEqual(ids.map((id) => (id === 1n || id === 2n ? 7n : 6n)))
  })

  test.each([
    ['is kept for ever', undefined],
    ['expires', {keepFor: hour, now}],
  ])('what is no row counts as none, and a row that %s takes its place', async (_, life) => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const ids = [1n, 2n, 3n, 4n]
    const all = onlineRows(
      table,
      ids.map((id) => row(id, now, id)),
    )
    const request = [{table, keys: ids.map((id) => [id]), features: ['trips']}]
    const found = async () => (await store.read(request))[0]?.map((one) => one?.values[0])
    await store.write(table, all, life)
    const keys = await client.keysBuffer('fs:rides:{*')
    for (const isKnown of [true, false]) {
      await client.set(keys[0] ?? '', 'x')
      await client.set(keys[1] ?? '', '')
      await client.del(keys[2] ?? '')
      await client.rpush(keys[2] ?? '', 'a', 'b')
      expect((await found())?.filter((trips) => trips !== undefined)).toHaveLength(1)
      await using other = await openStore('rides', 'write')
      await (isKnown ? store : other).write(table, all, life)
      expect(await found()).toEqual(ids)
    }
    const whole = await client.getBuffer(keys[3] ?? '')
    await client.set(keys[3] ?? '', whole?.subarray(0, 25) ?? '')
    expect((await found())?.filter((trips) => trips === undefined)).toHaveLength(1)
    await client.del(keys[2] ?? '')
    await client.rpush(keys[2] ?? '', 'a')
    expect(await store.remove(table, all)).toBe(4)
  })

  test('a store that lost its schemas has lost its tables', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    expect(await store.listTables()).toEqual([table.name])
    await client.del('fs:{rides}:schemas')
    expect(await store.listTables()).toEqual([])
    await store.prepare([table])
    expect(await store.listTables()).toEqual([table.name])
  })

  test('a row of a table that the server lost is lost, and one whose schema it lost alone is told of', async () => {
    await using store = await openStore('rides', 'write')
    const other = onlineTable('rider', {rider_id: 'int64'}, {rides: 'int64'})
    await store.prepare([table])
    await store.write(table, onlineRows(table, [row(1n, now, 5n)]))
    // As a flush amid a load leaves it: the rows that were on their way are there, and none of what tells of them.
    await client.del('fs:{rides}:schemas', 'fs:{rides}:tables')
    await store.prepare([other])
    await store.write(other, onlineRows(other, [row(2n, now, 6n)]))
    const read = async () => {
      await using reader = await openStore('rides', 'read')
      const found = await reader.read([
        {table, keys: [[1n]], features: ['trips']},
        {table: other, keys: [[2n]], features: ['rides']},
      ])
      return found.map(([one]) => one?.values)
    }
    expect(await read()).toEqual([undefined, [6n]])
    await store.prepare([table])
    expect(await read()).toEqual([[5n], [6n]])
    await client.del('fs:{rides}:schemas')
    await expect(read()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      hint: expect.stringContaining('fs apply'),
    })
    await store.prepare([table, other])
    expect(await read()).toEqual([[5n], [6n]])
  })

  test.each([
    ['are kept for ever', undefined],
    ['expire', {keepFor: hour, now: 5n}],
  ])('of rows of one write with the same key and times that %s the last one stays', async (_, life) => {
    await using earlier = await openStore('rides', 'write')
    await earlier.prepare([table])
    await earlier.write(table, onlineRows(table, [row(1n, 5n)]), life)
    await using store = await openStore('rides', 'write')
    // The first of them goes with a row that meets an elder, and so goes twice.
    const rows = [row(1n, 4n), row(2n, 4n, 1n), row(2n, 4n, 2n)]
    expect(await store.write(table, onlineRows(table, rows), life)).toMatchObject({written: 2, unchanged: 1})
    const [found] = await store.read([{table, keys: [[1n], [2n]], features: ['trips']}])
    expect(found?.map((one) => [one?.eventTimestamp, one?.values[0]])).toEqual([
      [5n, 0n],
      [4n, 2n],
    ])
  })

  test('a project that is taken down leaves nothing, and nothing of another goes', async () => {
    await using store = await openStore('prod', 'write')
    await using other = await openStore('nonprod', 'write')
    await using third = await openStore('prod2', 'write')
    for (const one of [store, other, third]) {
      await one.prepare([table])
      await one.write(
        table,
        onlineRows(
          table,
          Array.from({length: 1200}, (_, id) => row(BigInt(id), now)),
        ),
      )
    }
    await client.set('fs:prod:{somebody else', 'x')
    await store.drop(['driver'])
    expect(await client.keys('fs:prod:*')).toEqual(['fs:prod:{somebody else'])
    expect(await client.keys('fs:{prod}:*')).toEqual([])
    expect(await client.dbsize()).toBe(2 * (1200 + 2) + 1)
  })

  test('rows that came after their table was dropped go when it is dropped again', async () => {
    await using store = await openStore('prod', 'write')
    await store.prepare([table])
    await store.write(table, onlineRows(table, [row(1n, now)]))
    const [late] = await client.keys('fs:prod:{*')
    await store.drop(['driver'])
    await client.set(late ?? '', 'what a load wrote that was under way')
    await store.drop(['driver'])
    expect(await client.keys('fs:prod:{*')).toEqual([])
  })

  test('a login that fails is told, by the server and by what to check', async () => {
    await using guarded = await RedisServer.start('--requirepass', 'right')
    const open = (password: string) =>
      openOnlineStore(
        {type: 'redis', settings: {connectionString: `127.0.0.1:${guarded.port},password=${password}`}},
        {project: 'rides', repoDirectory: '/', access: 'read'},
      )
    await using right = await open('right')
    expect(await right.listTables()).toEqual([])
    await using wrong = await open('wrong')
    await expect(wrong.listTables()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/WRONGPASS/) as string,
      hint: expect.stringMatching(/password/) as string,
    })
  })

  test('so is one at a cluster, of which the client says no more than that it has no node', async () => {
    await using guarded = await RedisServer.startNode('--requirepass', 'right')
    await using wrong = await openOnlineStore(
      {
        type: 'redis',
        settings: {
          redisType: 'redis_cluster',
          connectionString: `127.0.0.1:${guarded.port},password=wrong`,
        },
      },
      {project: 'rides', repoDirectory: '/', access: 'read'},
    )
    await expect(wrong.listTables()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/WRONGPASS|NOAUTH/) as string,
      hint: expect.stringMatching(/password/) as string,
    })
  })

  test('a command that is refused is told of by its own words, not as a transaction that was given up', async () => {
    await client.acl('SETUSER', 'reader', 'on', '>s', '+@all', '-hset', '~fs:*')
    await using store = await openStore('rides', 'write', ',username=reader,password=s')
    await expect(store.prepare([table])).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/NOPERM.*hset/) as string,
      hint: expect.stringContaining('ACL') as string,
    })
  })

  test('TLS with an authority of its own, and a user whom an ACL confines to the keys of the store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fs-tls-'))
    const certificates = makeCertificates(folder)
    const acl = [
      '--user',
      'fs',
      'on',
      '>secret',
      'resetkeys',
      '~fs:*',
      'resetchannels',
      '+@all',
      '-@admin',
      '-@dangerous',
      '+info',
    ]
    await using secure = await RedisServer.startTls(certificates, ...acl)
    const open = (text: string, more: object = {caFile: 'ca.pem'}, port = secure.port) =>
      openOnlineStore(
        {type: 'redis', settings: {connectionString: `127.0.0.1:${port}${text}`, ...more}},
        {project: 'rides', repoDirectory: folder, access: 'read'},
      )
    await using store = await open(',username=fs,password=secret')
    await store.prepare([table])
    await store.write(table, onlineRows(table, [row(1n, now, 5n)]))
    expect((await store.read([{table, keys: [[1n]], features: ['trips']}]))[0]?.[0]?.values).toEqual([5n])
    await store.drop(['driver'])
    expect(await store.listTables()).toEqual([])

    const failureOf = async (one: OnlineStore) => {
      const failure: unknown = await one.listTables().catch((error: unknown) => error)
      await one[Symbol.asyncDispose]()
      return failure
    }
    expect(await failureOf(await open(',ssl=true,username=fs,password=secret', {}))).toMatchObject({
      message: expect.stringMatching(/certificate/) as string,
      hint: expect.stringMatching(/certificate/) as string,
    })
    expect(await failureOf(await open(',username=fs,password=wrong'))).toMatchObject({
      message: expect.stringMatching(/WRONGPASS/) as string,
    })
    await expect(open('', {caFile: 'nowhere.pem'})).rejects.toMatchObject({
      code: 'FS_CONFIG_INVALID',
      message: expect.stringContaining('nowhere.pem') as string,
    })
    rmSync(folder, {recursive: true})
  })

  test.each([
    ['kept for ever', undefined],
    ['that expire', {keepFor: hour, now}],
  ])('a server that is full of rows %s is told as full', async (_, life) => {
    await using small = await RedisServer.start('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
    await using store = await openOnlineStore(
      {type: 'redis', settings: {connectionString: `127.0.0.1:${small.port}`}},
      {project: 'rides', repoDirectory: '/', access: 'write'},
    )
    await store.prepare([table])
    const many = Array.from({length: 60_000}, (_, id) => row(BigInt(id), now))
    await expect(store.write(table, onlineRows(table, many), life)).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/OOM/) as string,
      hint: expect.stringMatching(/memory/) as string,
    })
  })

  test.each([
    ['kept for ever', undefined],
    ['that expire', {keepFor: hour, now}],
  ])('writes of rows %s go on when the server comes back, and settle', async (_, life) => {
    await using mortal = await RedisServer.start()
    await using store = await openOnlineStore(
      {type: 'redis', settings: {connectionString: `127.0.0.1:${mortal.port}`}},
      {project: 'rides', repoDirectory: '/', access: 'write'},
    )
    await store.prepare([table])
    const batch = onlineRows(
      table,
      Array.from({length: 8000}, (_, id) => row(BigInt(id), now)),
    )
    await mortal.kill()
    const writing = store.prepare([table]).then(() => store.write(table, batch, life))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await mortal.up()
    expect(await writing).toMatchObject({written: 8000})
    const [rows] = await store.read([{table, keys: [[0n], [7999n]], features: ['trips']}])
    expect(rows?.every((one) => one !== undefined)).toBe(true)
  })

  test('a server that is not there is told within a bounded time', async () => {
    await using store = await openOnlineStore(
      {type: 'redis', settings: {connectionString: '127.0.0.1:1'}},
      {project: 'rides', repoDirectory: '/', access: 'read'},
    )
    await expect(store.read([{table, keys: [[1n]], features: ['trips']}])).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1') as string,
    })
  })
})
