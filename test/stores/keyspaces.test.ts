import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {describeOnlineStore, onlineRows, onlineTable} from '../conformance/online-store.js'
import {LoadPacer} from '../../src/online/pacing/load-pacer.js'
import {staticPacing} from '../../src/online/pacing/static-pacing.js'
import {KeyspacesProxy} from '../support/keyspaces-proxy.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {dropAllTables, sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'

const region = 'eu-west-1'
const login = {accessKeyId: 'AKIATEST', secretAccessKey: 'test-secret'}
let cassandra: SharedCassandra
let proxy: KeyspacesProxy

beforeAll(async () => {
  cassandra = await sharedCassandra()
  proxy = await KeyspacesProxy.start({
    cassandraHost: cassandra.host,
    cassandraPort: cassandra.port,
    region,
    ...login,
    tableCreationMillis: 20,
  })
  vi.stubEnv('AWS_ACCESS_KEY_ID', login.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', login.secretAccessKey)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await proxy[Symbol.asyncDispose]()
  await cassandra[Symbol.asyncDispose]()
})

const openStore = (project: string, access: 'read' | 'write', port = proxy.port): Promise<OnlineStore> =>
  openOnlineStore(
    {
      type: 'keyspaces',
      settings: {
        region,
        keyspace: cassandra.keyspace,
        endpoint: `localhost:${port}`,
        caFile: proxy.caFile,
      },
    },
    {project, repoDirectory: '/', access},
  )

describeOnlineStore('Amazon Keyspaces, as a proxy before Cassandra plays it,', () =>
  Promise.resolve({
    open: openStore,
    close: () => dropAllTables(cassandra.client, cassandra.keyspace),
  }),
)

describe('what only Keyspaces does', () => {
  test('a credential that is wrong is told as what it is', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another')
    try {
      await using store = await openStore('rides', 'read')
      await expect(store.listTables()).rejects.toMatchObject({
        code: 'FS_STORE_UNAVAILABLE',
        hint: expect.stringContaining('AWS credentials') as string,
      })
    } finally {
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', login.secretAccessKey)
    }
  })

  test.each([
    ['whose certificate nobody signed', () => ({endpoint: `localhost:${proxy.port}`}), 'ca_file'],
    ['where nobody listens', () => ({endpoint: 'localhost:1'}), 'online_store.region'],
  ])('an endpoint %s is told by its own settings', async (_, endpoint, hint) => {
    await using store = await openOnlineStore(
      {type: 'keyspaces', settings: {region, keyspace: cassandra.keyspace, ...endpoint()}},
      {project: 'rides', repoDirectory: '/', access: 'read'},
    )
    await expect(store.listTables()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      hint: expect.stringContaining(hint) as string,
    })
  })

  test('a row beyond its limits is rejected, and says which', async () => {
    await using store = await openStore('rides', 'write')
    const table = onlineTable('text', {id: 'string'}, {note: 'string'})
    await store.prepare([table])
    const rows = [
      ['a', 'fits'],
      ['x'.repeat(2049), 'fits'],
      ['b', 'y'.repeat(1_000_001)],
    ].map(([id, note]) => ({key: [id as string], event: 1n, created: null, values: [note as string]}))
    const {written, rejected} = await store.write(table, onlineRows(table, rows))
    expect(written).toBe(1)
    expect(rejected.toSorted((one, other) => one.row - other.row)).toEqual([
      {row: 1, reason: 'the key takes 2049 bytes, and Amazon Keyspaces at most 2048'},
      {
        row: 2,
        reason: expect.stringMatching(/^its values take 10000\d\d bytes, and .* 1000000 a row$/) as string,
      },
    ])
  })

  test('a newer row leaves nothing behind, an older one is not written, and reads say so first', async () => {
    await using store = await openStore('rides', 'write')
    const table = onlineTable('driver', {driver_id: 'int64'}, {rate: 'float64'})
    await store.prepare([table])
    for (const event of [5n, 3n, 9n, 4n])
      await store.write(
        table,
        onlineRows(table, [{key: [1n], event, created: null, values: [Number(event)]}]),
        undefined,
        {counts: 'sent'},
      )
    const {rows} = await cassandra.client.execute(`SELECT rate FROM ${cassandra.keyspace}.rides__driver`)
    expect(rows.map((row) => row['rate'] as number)).toEqual([9])
    await store.drop(['driver'])
  })

  test('a store that is silent when it is asked what it holds is told of, and the write goes on when it answers', async () => {
    await using network = await TcpProxy.start(proxy.port, 'localhost')
    await using store = await openStore('rides', 'write', network.port)
    const table = onlineTable('driver', {driver_id: 'int64'}, {rate: 'float64'})
    await store.prepare([table])
    const told: string[] = []
    const pacer = new LoadPacer({
      policy: staticPacing({maxConcurrency: 8}),
      patienceMillis: 60_000,
      onStall: ({message}) => told.push(message),
    })
    const write = (event: bigint) =>
      store.write(
        table,
        onlineRows(table, [{key: [1n], event, created: null, values: [Number(event)]}]),
        undefined,
        {pacer, counts: 'sent'},
      )
    await write(1n)
    network.silence()
    const late = write(2n)
    await vi.waitFor(() => expect(told).toHaveLength(1), 30_000)
    // What is read is no part of the load.
    expect(pacer.metrics()).toMatchObject({requests: 1, retries: {}})
    network.heal()
    expect(await late).toEqual({written: 1, unchanged: 0, rejected: []})
    expect(told).toHaveLength(1)
    await store.drop(['driver'])
  })

  test('who stops a load does not wait for a store that is silent when it is asked what it holds', async () => {
    await using network = await TcpProxy.start(proxy.port, 'localhost')
    await using store = await openStore('rides', 'write', network.port)
    const table = onlineTable('driver', {driver_id: 'int64'}, {rate: 'float64'})
    await store.prepare([table])
    const stop = new AbortController()
    const policy = staticPacing({maxConcurrency: 8})
    const pacer = new LoadPacer({policy, patienceMillis: 60_000, signal: stop.signal})
    network.silence()
    const rows = onlineRows(table, [{key: [1n], event: 1n, created: null, values: [1]}])
    const write = store.write(table, rows, undefined, {pacer, counts: 'sent'})
    stop.abort(new Error('stopped'))
    await expect(write).rejects.toThrow('stopped')
    network.heal()
    await store.drop(['driver'])
  })
})
