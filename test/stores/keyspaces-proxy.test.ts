import {randomBytes} from 'node:crypto'
import {Client, errors, types, type ClientOptions} from 'cassandra-driver'
import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest'
import {FeatureStoreError} from '../../src/errors.js'
import type {AwsCredentials} from '../../src/aws/credentials.js'
import {readKeyspacesSettings} from '../../src/online/cassandra/keyspaces/keyspaces-settings.js'
import {SigV4AuthProvider} from '../../src/online/cassandra/keyspaces/sigv4-authenticator.js'
import {KeyspacesProxy, type KeyspacesOptions} from '../support/keyspaces-proxy.js'

const region = 'eu-west-1'
const credentials = {accessKeyId: 'AKIATEST', secretAccessKey: 'test-secret', sessionToken: 'test-token'}
const keyspace = `fs_proxy_${randomBytes(4).toString('hex')}`
const {localQuorum, one} = types.consistencies

const cassandra = {cassandraHost: '127.0.0.1', cassandraPort: inject('cassandraPort')}

/** Cassandra itself, to look behind the proxy. */
const direct = new Client({
  contactPoints: [`${cassandra.cassandraHost}:${cassandra.cassandraPort}`],
  localDataCenter: 'datacenter1',
})
beforeAll(() => direct.connect())
afterAll(async () => {
  await direct.execute(`drop keyspace if exists ${keyspace}`)
  await direct.shutdown()
})

function startProxy(more: Partial<KeyspacesOptions> = {}): Promise<KeyspacesProxy> {
  return KeyspacesProxy.start({...cassandra, region, ...credentials, ...more})
}

/** A client as the store makes it of its settings, which ends with the block. */
async function clientOf(
  proxy: KeyspacesProxy,
  found: () => Promise<AwsCredentials> = () => Promise.resolve(credentials),
  more: ClientOptions = {},
): Promise<Client & AsyncDisposable> {
  const settings = await readKeyspacesSettings(
    {region, keyspace, endpoint: `localhost:${proxy.port}`, caFile: proxy.caFile},
    '/',
  )
  const clock = (): bigint => BigInt(Date.now()) * 1000n
  const client = new Client({
    contactPoints: [...settings.contactPoints],
    protocolOptions: {port: settings.port},
    localDataCenter: settings.localDataCenter,
    sslOptions: settings.ssl,
    authProvider: new SigV4AuthProvider({region, credentials: found, clock}),
    queryOptions: {consistency: localQuorum, prepare: true},
    ...more,
  })
  return Object.assign(client, {[Symbol.asyncDispose]: () => client.shutdown()})
}

const ddl = {prepare: false}

/** Creates a table and waits until it may be used. */
async function createTable(client: Client, name: string, properties = ''): Promise<void> {
  await client.execute(
    `create keyspace if not exists ${keyspace} with replication = {'class': 'SingleRegionStrategy'}`,
    [],
    ddl,
  )
  await client.execute(
    `create table ${keyspace}.${name} (id bigint primary key, trips int) ${properties}`,
    [],
    ddl,
  )
  while ((await statusOf(client, name)) !== 'ACTIVE') await new Promise((resolve) => setTimeout(resolve, 20))
}

async function statusOf(client: Client, table: string): Promise<unknown> {
  const select =
    'select keyspace_name, table_name, status from system_schema_mcs.tables where keyspace_name = ? and table_name = ?'
  return (await client.execute(select, [keyspace, table])).first()?.['status']
}

/** What the driver found wrong with the only host there is. */
async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  const failure: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  return failure instanceof errors.NoHostAvailableError
    ? Object.values(failure.innerErrors as object)[0]
    : failure
}

describe('login', () => {
  test('the right key logs in; the region is the data center, and the proxy the only host', async () => {
    await using proxy = await startProxy()
    await using client = await clientOf(proxy)
    await client.connect()
    expect(client.hosts.values().map(({datacenter}) => datacenter)).toEqual([region])
    expect((await client.execute('select data_center from system.local')).first()?.['data_center']).toBe(
      region,
    )
  })

  test.each([
    ['a wrong secret', {...credentials, secretAccessKey: 'wrong'}, /signature/],
    ['an unknown key', {...credentials, accessKeyId: 'AKIAOTHER'}, /token/],
    [
      'no session token',
      {accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey},
      /token/,
    ],
  ])('%s is refused', async (_, wrong, message) => {
    await using proxy = await startProxy()
    await using client = await clientOf(proxy, () => Promise.resolve(wrong))
    const reason = await reasonOf(client.connect())
    expect(reason).toBeInstanceOf(errors.AuthenticationError)
    expect((reason as Error).message).toMatch(message)
  })

  test('a signature for another region is refused', async () => {
    await using proxy = await startProxy({region: 'eu-central-1'})
    await using client = await clientOf(proxy)
    expect(await reasonOf(client.connect())).toMatchObject({
      message: expect.stringMatching(/signature/) as string,
    })
  })

  test('credentials that can not be had are told as they are', async () => {
    await using proxy = await startProxy()
    const failure = new FeatureStoreError('FS_STORE_UNAVAILABLE', 'no credentials')
    await using client = await clientOf(proxy, () => Promise.reject(failure))
    expect(await reasonOf(client.connect())).toBe(failure)
  })

  test('a server that we do not trust, or of another name, is not spoken to', async () => {
    await using proxy = await startProxy()
    const settings = {region, keyspace, endpoint: `localhost:${proxy.port}`}
    const codeWith = async (sslOptions: object): Promise<unknown> => {
      await using client = await clientOf(proxy, undefined, {sslOptions})
      return await reasonOf(client.connect())
    }
    const {ssl: untrusting} = await readKeyspacesSettings(settings, '/')
    expect(await codeWith(untrusting)).toMatchObject({code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'})
    const {ssl} = await readKeyspacesSettings({...settings, endpoint: undefined, caFile: proxy.caFile}, '/')
    expect(await codeWith(ssl)).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'})
  })
})

describe('rules', () => {
  let proxy: KeyspacesProxy
  let client: Client & AsyncDisposable
  beforeAll(async () => {
    proxy = await startProxy()
    client = await clientOf(proxy)
    await createTable(client, 'plain')
    await createTable(
      client,
      'stamped',
      "with custom_properties = {'client_side_timestamps': {'status': 'enabled'}, 'ttl': {'status': 'enabled'}} and comment = 'kept'",
    )
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  })

  const insert = (table: string, using = '') =>
    `insert into ${keyspace}.${table} (id, trips) values (?, ?) ${using}`
  const read = async (table: string, id: number) =>
    (
      await client.execute(`select trips, writetime(trips) as at from ${keyspace}.${table} where id = ?`, [
        id,
      ])
    ).first()
  const microsFromNow = (seconds: number) => (Date.now() + seconds * 1000) * 1000

  test('a new table is CREATING before it is ACTIVE, and not to be used', async () => {
    await using slow = await startProxy({tableCreationMillis: 2000})
    await using other = await clientOf(slow)
    await other.execute(`create table ${keyspace}.slow (id bigint primary key, trips int)`, [], ddl)
    expect(await statusOf(other, 'slow')).toBe('CREATING')
    await expect(other.execute(insert('slow'), [1, 1])).rejects.toThrow('unconfigured table slow')
    while ((await statusOf(other, 'slow')) !== 'ACTIVE')
      await new Promise((resolve) => setTimeout(resolve, 50))
    await other.execute(insert('slow'), [1, 1])
    await other.execute(`drop table ${keyspace}.slow`, [], ddl)
    expect(await statusOf(other, 'slow')).toBeUndefined()
  })

  test('settings of Keyspaces do not reach Cassandra, all others do', async () => {
    const found = await direct.execute(
      `select comment from system_schema.tables where keyspace_name = '${keyspace}' and table_name = 'stamped'`,
    )
    expect(found.first()?.['comment']).toBe('kept')
  })

  test.each([
    ['truncate KS.plain', 'TRUNCATE'],
    ['create index on KS.plain (trips)', 'CREATE INDEX'],
    ["create custom index i on KS.plain (trips) using 'sai'", 'CREATE CUSTOM'],
    ['create materialized view KS.v as select * from KS.plain primary key (id)', 'MATERIALIZED'],
    ['alter table KS.plain alter trips type bigint', 'Types'],
    ['alter table KS.plain drop trips', 'only ADD and WITH'],
    [
      "create keyspace other with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
      'Single',
    ],
    ['create role someone', 'CREATE ROLE'],
    ['begin unlogged batch insert into KS.plain (id, trips) values (1, 1); apply batch', 'BATCH'],
    ['insert into KS.plain (id, trips) values (1, 1) using timestamp 1', 'client_side_timestamps'],
    ['delete from KS.plain where id in (1, 2)', 'IN is not'],
    ['update KS.plain using ttl 5 set trips = 1 where id = 1', 'ttl'],
  ])('%s is refused', async (text, message) => {
    await expect(client.execute(text.replaceAll('KS', keyspace), [], ddl)).rejects.toMatchObject({
      code: types.responseErrorCodes.invalid,
      message: expect.stringContaining(message) as string,
    })
  })

  test('IN takes a hundred values', async () => {
    const select = (count: number) =>
      client.execute(
        `select * from ${keyspace}.plain where id in (${Array.from({length: count}, () => '?').join(', ')})`,
        Array.from({length: count}, (_, id) => id),
      )
    await select(100)
    await expect(select(101)).rejects.toThrow('100 values')
  })

  test('what only looks like it is let through', async () => {
    const text = `update ${keyspace}.plain set trips = 2 where id = 2 -- using timestamp 1\n`
    await client.execute(text, [], ddl)
    expect((await read('plain', 2))?.['trips']).toBe(2)
  })

  test('writes are LOCAL_QUORUM, reads also ONE and LOCAL_ONE', async () => {
    await expect(client.execute(insert('plain'), [3, 3], {consistency: one})).rejects.toThrow(
      /ONE is not supported.*LOCAL_QUORUM/,
    )
    const select = `select * from ${keyspace}.plain where id = 3`
    await client.execute(select, [], {consistency: one})
    await expect(client.execute(select, [], {consistency: types.consistencies.quorum})).rejects.toThrow(
      /QUORUM/,
    )
  })

  test('a table that has not opted in takes the time of the server', async () => {
    await client.execute(insert('plain'), [4, 1], {timestamp: microsFromNow(10 * 86_400)})
    await client.execute(insert('plain'), [4, 2], {timestamp: microsFromNow(-10 * 86_400)})
    expect((await read('plain', 4))?.['trips']).toBe(2)
  })

  test.each([
    ['USING TIMESTAMP', true],
    ['the time that the driver sends', false],
  ])('a table that has opted in takes %s, from two days ago to five minutes ahead', async (_, isWritten) => {
    // A row for each: a later time would hide an earlier one.
    let id = isWritten ? 10 : 20
    const write = (at: number) => {
      id += 1
      return isWritten
        ? client.execute(insert('stamped', 'using timestamp ? and ttl 600'), [id, 5, at])
        : client.execute(insert('stamped'), [id, 5], {timestamp: at})
    }
    for (const seconds of [-2 * 86_400 + 60, 240]) {
      const at = microsFromNow(seconds)
      await write(at)
      expect(String((await read('stamped', id))?.['at'])).toBe(String(at))
    }
    for (const seconds of [-2 * 86_400 - 60, 360])
      await expect(write(microsFromNow(seconds))).rejects.toThrow(/older than 2 days or more than 5 minutes/)
  })

  test('a table may opt in later', async () => {
    await createTable(client, 'later')
    const write = () => client.execute(insert('later', 'using timestamp ?'), [1, 1, microsFromNow(0)])
    await expect(write()).rejects.toThrow('client_side_timestamps')
    await client.execute(
      `alter table ${keyspace}.later with custom_properties = {'client_side_timestamps': {'status': 'enabled'}};`,
      [],
      ddl,
    )
    await write()
  })

  test('batches: unlogged, of 30 writes at most, none of them conditional', async () => {
    const batch = (size: number, logged = false, query = insert('plain')) =>
      client.batch(
        Array.from({length: size}, (_, index) => ({query, params: [100 + index, index]})),
        {prepare: true, logged},
      )
    await batch(30)
    expect((await read('plain', 129))?.['trips']).toBe(29)
    await expect(batch(31)).rejects.toThrow('30 at most')
    await expect(batch(2, true)).rejects.toThrow('Logged')
    await expect(batch(2, false, insert('plain', 'if not exists'))).rejects.toThrow('unconditional')
  })

  test('conditional writes work', async () => {
    const text = insert('plain', 'if not exists')
    expect((await client.execute(text, [6, 1])).wasApplied()).toBe(true)
    expect((await client.execute(text, [6, 2])).wasApplied()).toBe(false)
  })
})

describe('throttling', () => {
  /** Writes rows at once, and tells what became of them. */
  async function writeAll(
    client: Client,
    table: string,
    count: number,
    condition = '',
  ): Promise<readonly unknown[]> {
    const text = `insert into ${keyspace}.${table} (id, trips) values (?, ?) ${condition}`
    return Promise.all(
      Array.from({length: count}, (_, id) =>
        client.execute(text, [id, id]).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    )
  }
  /** A client of a proxy without TLS and login, which ends with the block. */
  async function plainClientOf({port}: KeyspacesProxy): Promise<Client & AsyncDisposable> {
    const client = new Client({
      contactPoints: [`127.0.0.1:${port}`],
      localDataCenter: 'datacenter1',
      queryOptions: {prepare: true},
    })
    await client.connect()
    return Object.assign(client, {[Symbol.asyncDispose]: () => client.shutdown()})
  }

  const countRows = async (table: string) =>
    Number((await direct.execute(`select count(*) as rows from ${keyspace}.${table}`)).first()?.['rows'])

  test('what exceeds the capacity looks like a write that nobody acknowledged, and is not done', async () => {
    await using proxy = await startProxy({writesPerSecond: 50, burst: 10})
    await using client = await clientOf(proxy)
    await createTable(client, 'narrow')
    const refused = (await writeAll(client, 'narrow', 300)).filter((one) => one !== undefined)
    expect(refused.length).toBeGreaterThan(0)
    for (const failure of refused)
      expect(failure).toMatchObject({
        code: types.responseErrorCodes.writeTimeout,
        consistencies: localQuorum,
        received: 0,
        blockFor: 2,
        writeType: 'SIMPLE',
      })
    const {accepted, refused: counted, bySecond} = proxy.stats()
    expect([accepted, counted]).toEqual([300 - refused.length, refused.length])
    expect(bySecond.reduce((sum, second) => sum + second.accepted, 0)).toBe(accepted)
    expect(await countRows('narrow')).toBe(accepted)
    // Reads go on.
    expect((await client.execute(`select count(*) as rows from ${keyspace}.narrow`)).first()).toBeDefined()
  })

  test('batches count by their writes, conditional writes are told apart', async () => {
    await using proxy = await startProxy({writesPerSecond: 0.001, burst: 30})
    await using client = await clientOf(proxy)
    await createTable(client, 'batched')
    const query = `insert into ${keyspace}.batched (id, trips) values (?, ?)`
    const batch = () =>
      client.batch(
        Array.from({length: 20}, (_, id) => ({query, params: [id, id]})),
        {prepare: true, logged: false},
      )
    await batch()
    await expect(batch()).rejects.toMatchObject({writeType: 'UNLOGGED_BATCH'})
    const [failure] = (await writeAll(client, 'batched', 11, 'if not exists')).filter(
      (one) => one !== undefined,
    )
    expect(failure).toMatchObject({writeType: 'CAS'})
    expect(proxy.stats()).toMatchObject({accepted: 30, refused: 21})
  })

  test('capacity follows the traffic: twice as much in the next period', async () => {
    await using proxy = await startProxy({writesPerSecond: 100, doublingMillis: 300})
    await using client = await clientOf(proxy)
    await createTable(client, 'growing')
    while (proxy.stats().writesPerSecond < 300) await writeAll(client, 'growing', 20)
  })

  test('a plain proxy throttles, and lets everything else through', async () => {
    await using proxy = await KeyspacesProxy.startPlain({...cassandra, writesPerSecond: 50, burst: 10})
    await using client = await plainClientOf(proxy)
    await client.execute(`create table ${keyspace}.cassandra (id bigint primary key, trips int)`, [], ddl)
    await client.execute(`create index on ${keyspace}.cassandra (trips)`, [], ddl)
    const failures = (await writeAll(client, 'cassandra', 200)).filter((one) => one !== undefined)
    expect(failures.length).toBe(proxy.stats().refused)
    expect(await countRows('cassandra')).toBe(proxy.stats().accepted)

    // A batch that was prepared as one statement.
    await using counting = await KeyspacesProxy.startPlain(cassandra)
    await using other = await plainClientOf(counting)
    const place = `${keyspace}.cassandra`
    const batch = `begin unlogged batch insert into ${place} (id, trips) values (?, ?); delete from ${place} where id = ?; apply batch`
    await other.execute(batch, [1, 2, 3])
    expect(counting.stats()).toMatchObject({accepted: 2, refused: 0})
  })
})
