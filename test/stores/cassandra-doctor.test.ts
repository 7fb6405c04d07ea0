import {rmSync} from 'node:fs'
import {afterAll, afterEach, beforeAll, beforeEach, expect, test} from 'vitest'
import {FeatureStore, type Check} from '../../src/feature-store.js'
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
