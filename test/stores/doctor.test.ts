import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {Redis} from 'ioredis'
import {FeatureStore, type Check} from '../../src/feature-store.js'
import {examineWith, unwell} from '../support/examined-repo.js'
import {PostgresServer} from '../support/postgres-server.js'
import {RedisCluster, RedisServer} from '../support/redis-server.js'
import {runFs} from '../support/run-fs.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'

let repo: string
beforeEach(async () => {
  repo = createStatsRepo('{type: embedded}')
  await writeStats(repo, 5, '1')
})
afterEach(() => rmSync(repo, {recursive: true}))

const examine = (blocks: object): Promise<readonly Check[]> => examineWith(repo, blocks)

describe('what doctor finds in Redis', () => {
  let server: RedisServer
  let client: Redis
  beforeAll(async () => {
    server = await RedisServer.start()
    client = new Redis(server.port)
  })
  afterAll(async () => {
    client.disconnect()
    await server[Symbol.asyncDispose]()
  })
  const redis = (more = ''): object => ({
    online_store: {type: 'redis', connection_string: `127.0.0.1:${server.port}${more}`},
  })

  test('where all is well: address, clock, version, rights, eviction and memory, and no key is made', async () => {
    const checks = (await examine(redis())).filter(({part}) => part === 'online_store')
    expect(unwell(checks)).toEqual([])
    expect(checks.map(({name}) => name)).toEqual([
      'reachable',
      'clock',
      'encryption',
      'version',
      'rights',
      'eviction',
      'memory',
    ])
    expect(checks[4]?.detail).toBe('user default may read and load')
    expect(await client.dbsize()).toBe(0)
  })

  test('a server that throws rows away when it is full, and nearly is', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await client.config('SET', 'maxmemory', String(Math.round(used * 1.05)))
    const found = unwell(await examine(redis()))
    await client.config('SET', 'maxmemory', '0')
    expect(found).toMatchObject([
      {name: 'eviction', status: 'warning', remedy: expect.stringContaining('noeviction')},
      {name: 'memory', status: 'warning'},
    ])
  })

  test('a replica, which no load can write to', async () => {
    await client.replicaof('127.0.0.1', '1')
    try {
      expect(unwell(await examine(redis()))).toMatchObject([
        {name: 'role', status: 'warning', remedy: expect.stringContaining('primary')},
      ])
    } finally {
      await client.replicaof('NO', 'ONE')
    }
  })

  test('a server that takes no writes: for want of replicas, or because it could not save', async () => {
    await client.config('SET', 'min-replicas-to-write', '1')
    const unsafe = unwell(await examine(redis()))
    await client.config('SET', 'min-replicas-to-write', '0')
    expect(unsafe).toMatchObject([
      {name: 'writes', status: 'failed', remedy: expect.stringContaining('min-replicas-to-write')},
    ])
    await using full = await RedisServer.start('--dbfilename', 'unsaved.rdb')
    const direct = new Redis(full.port)
    const [, folder = ''] = await direct.config('GET', 'dir')
    // Where a file is to come, a folder stands.
    mkdirSync(join(folder, 'unsaved.rdb'))
    await direct.bgsave()
    await expect
      .poll(() => direct.info('persistence'), {timeout: 10_000})
      .toContain('rdb_last_bgsave_status:err')
    direct.disconnect()
    const at = {type: 'redis', connection_string: `127.0.0.1:${full.port}`}
    expect(unwell(await examine({online_store: at}))).toMatchObject([
      {name: 'writes', status: 'warning', detail: expect.stringContaining('disk')},
    ])
  })

  test('a node of a cluster that the settings take for a server by itself', async () => {
    await using cluster = await RedisCluster.start()
    const [address] = cluster.addresses.split(',')
    const one = {type: 'redis', connection_string: address}
    expect(unwell(await examine({online_store: one}))).toMatchObject([
      {name: 'cluster', status: 'failed', remedy: expect.stringContaining('redis_cluster')},
    ])
    const all = {type: 'redis', redis_type: 'redis_cluster', connection_string: cluster.addresses}
    expect(unwell(await examine({online_store: all}))).toEqual([])
  })

  test('a user who lacks rights: which, and the command that gives them; with it all is well', async () => {
    await client.acl(
      'SETUSER',
      'ride',
      'on',
      '>s',
      '+@connection',
      '+@read',
      '+time',
      '+info',
      '+acl|whoami',
      '+acl|dryrun',
      '~fs:*',
    )
    const as = redis(',username=ride,password=s')
    const [found] = unwell(await examine(as))
    expect(found).toMatchObject({
      name: 'rights',
      status: 'failed',
      detail: expect.stringContaining('evalsha'),
    })
    const [, , ...rules] = found?.remedy?.split(' ') ?? []
    await client.call('ACL', ['SETUSER', ...rules])
    expect(unwell(await examine(as))).toEqual([])
    await using store = await FeatureStore.open(repo)
    await store.apply()
    expect((await store.materializeIncremental()).status).toBe('ok')
    await store.teardown()
  })

  test('a user who lacks the right to some keys: which, and the command that gives it', async () => {
    await client.acl('SETUSER', 'narrow', 'on', '>s', '+@all', '~fs:{rides}:*', '~fs:rides:*', '~fs:{runs}')
    const as = redis(',username=narrow,password=s')
    const [found] = unwell(await examine(as))
    expect(found).toMatchObject({
      name: 'rights',
      status: 'failed',
      detail: expect.stringMatching(/may not use eval on fs:\{identity\}$/),
    })
    const [, , ...rules] = found?.remedy?.split(' ') ?? []
    await client.call('ACL', ['SETUSER', ...rules])
    expect(unwell(await examine(as))).toEqual([])
  })

  test('a user who may not ask is told what that costs, and not to lack anything', async () => {
    await client.acl('SETUSER', 'mute', 'on', '>s', '+@all', '-@admin', '-acl', '-info', '~fs:*')
    const checks = await examine(redis(',username=mute,password=s'))
    expect(unwell(checks)).toMatchObject([
      {name: 'restarts', status: 'warning', remedy: expect.stringContaining('+info')},
    ])
    expect(checks.filter(({detail}) => detail.includes('does not tell')).map(({name}) => name)).toEqual([
      'version',
      'rights',
      'eviction',
      'memory',
    ])
  })

  test('a wrong password, and a server that is not there', async () => {
    expect(unwell(await examine(redis(',username=ride,password=wrong')))).toMatchObject([
      {
        part: 'online_store',
        name: 'reachable',
        status: 'failed',
        remedy: expect.stringContaining('password'),
      },
    ])
    expect(
      unwell(await examine({online_store: {type: 'redis', connection_string: '127.0.0.1:1'}})),
    ).toMatchObject([{part: 'online_store', name: 'reachable', status: 'failed'}])
  })
})

describe('what doctor finds in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
    await server.query('CREATE ROLE reader LOGIN')
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('where all is well, and a user who may not write', async () => {
    const checks = (await examine({registry: server.url()})).filter(({part}) => part === 'registry')
    expect(unwell(checks)).toEqual([])
    expect(checks.map(({name}) => name)).toEqual(['readable', 'version', 'clock', 'encryption', 'writable'])
    expect(unwell(await examine({registry: server.url('postgres', 'reader')}))).toMatchObject([
      {part: 'registry', name: 'writable', status: 'failed', remedy: expect.stringContaining('grant')},
    ])
  })

  test('fs doctor shows a line for each, exits with 1, and shows no password', async () => {
    const url = server.url('nowhere').replace('fs@', 'fs:secret@')
    writeFileSync(join(repo, 'feature_store.yaml'), `project: rides\nregistry: ${url}\n`)
    const {code, stdout} = await runFs(['doctor', '-C', repo])
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ registry +readable +The registry postgres:\/\/fs@127/)
    expect(stdout).toMatch(/Remedy: Create the database/)
    expect(stdout).toMatch(/1 failed, 0 warnings\.\n$/)
    expect(stdout).not.toContain('secret')
    const json = JSON.parse((await runFs(['doctor', '--json', '-C', repo])).stdout) as {checks: Check[]}
    expect(unwell(json.checks)).toMatchObject([{part: 'registry', status: 'failed'}])
  })
})
