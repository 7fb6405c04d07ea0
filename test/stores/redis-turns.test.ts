import {openOnlineStore} from '../../src/online/drivers.js'
import {describeWriteTurns} from '../conformance/write-turns.js'
import {RedisServer} from '../support/redis-server.js'
import {TcpProxy} from '../support/tcp-proxy.js'

describeWriteTurns('Redis', async () => {
  const server = await RedisServer.start()
  const network = await TcpProxy.start(server.port)
  network.delay(250)
  const connectionString = `127.0.0.1:${server.port}`
  const store = await openOnlineStore(
    {type: 'redis', settings: {connectionString}},
    {project: 'looker', repoDirectory: '/', access: 'write'},
  )
  return {
    settings: {type: 'redis', connection_string: connectionString},
    slowSettings: {type: 'redis', connection_string: `127.0.0.1:${network.port}`},
    drivers: 400_000,
    note: store.notes.runs,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
})
