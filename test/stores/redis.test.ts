import {afterAll, beforeAll} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import {describeOnlineStore} from '../conformance/online-store.js'
import {RedisServer} from '../support/redis-server.js'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server[Symbol.asyncDispose]())

let fixtures = 0
describeOnlineStore('Redis', () => {
  // Each fixture has a database of its own on the server.
  fixtures += 1
  const settings = {connectionString: `127.0.0.1:${server.port},db=${fixtures % 16}`}
  return Promise.resolve({
    open: (project, access) =>
      openOnlineStore({type: 'redis', settings}, {project, repoDirectory: '/', access}),
    close: async () => {
      const {Redis} = await import('ioredis')
      const client = new Redis({port: server.port, db: fixtures % 16})
      await client.flushdb()
      client.disconnect()
    },
  })
})
