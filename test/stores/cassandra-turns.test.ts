import {openOnlineStore} from '../../src/online/drivers.js'
import {describeWriteTurns} from '../conformance/write-turns.js'
import {sharedCassandra} from '../support/shared-cassandra.js'

describeWriteTurns('Cassandra', async () => {
  const server = await sharedCassandra()
  const {keyspace, host, port} = server
  const hosts = [`${host}:${port}`]
  const store = await openOnlineStore(
    {type: 'cassandra', settings: {hosts, keyspace}},
    {project: 'looker', repoDirectory: '/', access: 'write'},
  )
  await store.prepare([])
  const settings = {type: 'cassandra', hosts, keyspace}
  return {
    settings,
    slowSettings: {...settings, write: {max_writes_per_second: 50}},
    drivers: 3000,
    note: store.notes.runs,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
})
