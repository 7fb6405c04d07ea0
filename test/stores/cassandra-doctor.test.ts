import {rmSync} from 'node:fs'
import {afterAll, afterEach, beforeAll, beforeEach, expect, test} from 'vitest'
import {FeatureStore, type Check} from '../../src/feature-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import {onlineRows, onlineTable} from '../conformance/online-store.js'
import {CassandraServer} from '../support/cassandra-server.js'
import {examineWith, unwell} from '../support/examined-repo.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'

let server: CassandraServer
let repo: string
beforeAll(async () => {
  server = await CassandraServer.start({auth: true})
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(async () => {
  repo = createStatsRepo('{type: embedded}')
  await writeStats(repo, 5, '1')
})
afterEach(() => rmSync(repo, {recursive: true}))

const settings = (more: object, login = {username: server.username, password: server.password}): object => ({
  type: 'cassandra',
  hosts: server.contactPoints,
  keyspace: 'rides',
  load_balancing: {local_dc: server.datacenter},
  ...login,
  ...more,
})
const creating = {create_keyspace: {replication_factor: 1}}

const examine = (block: object): Promise<readonly Check[]> => examineWith(repo, {online_store: block})

test('doctor finds a missing keyspace, a single replica, missing rights and a wrong password in Cassandra', async () => {
  expect(unwell(await examine(settings({})))).toMatchObject([
    {name: 'keyspace', status: 'failed', remedy: expect.stringContaining('create_keyspace')},
  ])
  const checks = (await examine(settings(creating))).filter(({part}) => part === 'online_store')
  expect(unwell(checks)).toEqual([])
  expect(checks.map(({name}) => name)).toEqual([
    'reachable',
    'clock',
    'encryption',
    'version',
    'keyspace',
    'rights',
  ])
  await using store = await FeatureStore.open(repo)
  await store.apply()
  expect(unwell(await examine(settings(creating)))).toMatchObject([{name: 'keyspace', status: 'warning'}])

  const client = await server.connect()
  await client.execute("CREATE ROLE reader WITH PASSWORD = 'r' AND LOGIN = true")
  await client.execute('GRANT SELECT ON KEYSPACE rides TO reader')
  await client.shutdown()
  const reader = {username: 'reader', password: 'r'}
  expect(unwell(await examine(settings({}, reader)))).toMatchObject([
    {name: 'keyspace', status: 'warning'},
    {
      name: 'rights',
      status: 'failed',
      detail: expect.stringContaining('MODIFY'),
      remedy: expect.stringContaining('GRANT'),
    },
  ])
  expect(unwell(await examine(settings({}, {username: 'reader', password: 'wrong'})))).toMatchObject([
    {name: 'reachable', status: 'failed'},
  ])
})

test('a table that a user may not drop stands in the way of no load', async () => {
  const table = onlineTable('driver', {driver_id: 'int64'}, {trips: 'int64'})
  const next = {...table, name: 'driver_2'}
  const {contactPoints: hosts, datacenter: localDc, username, password} = server
  const open = (login: object, createKeyspace?: object) =>
    openOnlineStore(
      {
        type: 'cassandra',
        settings: {hosts, keyspace: 'drops', createKeyspace, loadBalancing: {localDc}, ...login},
      },
      {project: 'rides', repoDirectory: '/', access: 'write'},
    )
  await using store = await open({username, password}, {replicationFactor: 1})
  await store.prepare([table])
  const client = await server.connect()
  await client.execute("CREATE ROLE loader WITH PASSWORD = 'l' AND LOGIN = true")
  for (const right of ['SELECT', 'MODIFY', 'CREATE', 'ALTER'])
    await client.execute(`GRANT ${right} ON KEYSPACE drops TO loader`)
  // Who made a table has every right on it.
  await using loader = await open({username: 'loader', password: 'l'})
  await expect(loader.drop(['driver'])).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringMatching(/loader has no DROP permission/) as string,
  })
  await loader.prepare([next])
  const rows = onlineRows(next, [{key: [1n], event: 1n, created: null, values: [1n]}])
  expect(await loader.write(next, rows)).toMatchObject({written: 1})
  expect(await loader.listTables()).toEqual(['driver_2'])
  await client.execute('DROP TABLE drops.feature_store_notes')
  await expect(store.notes.runs.read()).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringContaining('feature_store_notes') as string,
    hint: expect.stringContaining('fs apply') as string,
  })
  // Whoever may drop ends it.
  await store.prepare([next])
  const {rows: left} = await client.execute(
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'drops'",
  )
  await client.shutdown()
  expect(left.map((row) => row['table_name'] as string).sort()).toEqual([
    'feature_store_notes',
    'feature_store_tables',
    'rides__driver_2',
  ])
})
