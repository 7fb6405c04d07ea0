import {createServer, type AddressInfo, type Server, type Socket} from 'node:net'
import {once} from 'node:events'
import {setTimeout as sleep} from 'node:timers/promises'
import {Redis, type RedisOptions} from 'ioredis'
import {describe, expect, test} from 'vitest'
import {BulkStrings} from '../../../src/online/redis/bulk-strings.js'
import {ExpiringFirstWriteCall} from '../../../src/online/redis/expiring-first-write-call.js'
import {PackedPipeline} from '../../../src/online/redis/packed-pipeline.js'
import {RedisKeys} from '../../../src/online/redis/redis-keys.js'
import {onlineTable} from '../../conformance/online-store.js'

/** Says what it is told to when commands arrive, whatever they are. */
class ScriptedServer implements AsyncDisposable {
  received = ''
  /** What it says to who logs in. */
  greeting = '%0\r\n'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(answer: (socket: Socket, received: string) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        // The client asks for RESP3 first of all.
        if (bytes.includes('hello')) return void socket.write(this.greeting)
        this.received += bytes.toString('latin1')
        answer(socket, bytes.toString('latin1'))
      })
    })
  }

  static async start(answer: (socket: Socket, received: string) => void): Promise<ScriptedServer> {
    const server = new ScriptedServer(answer)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get connections(): number {
    return this.#sockets.size
  }

  async connect({commandTimeout = 5000}: Pick<RedisOptions, 'commandTimeout'> = {}): Promise<Redis> {
    const {port} = this.#server.address() as AddressInfo
    const client = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: () => 20,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout,
      password: 'secret',
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const isPing = (received: string): boolean => received.toLowerCase().includes('ping')

/** To three commands these, to a PING its own. */
const answering =
  (replies: string) =>
  (socket: Socket, received: string): boolean =>
    socket.write((received.includes('three') ? replies : '') + (isPing(received) ? '+PONG\r\n' : ''))

/** Three commands of which the bytes are of no matter here. */
const three = (): PackedPipeline => new PackedPipeline('set', Buffer.from('three commands'), 3)

describe('commands in one piece', () => {
  test.each([
    ['none', '+OK\r\n+OK\r\n+OK\r\n', []],
    ['the first', '_\r\n+OK\r\n+OK\r\n', [0]],
    ['one amid others', '+OK\r\n_\r\n+OK\r\n', [1]],
    ['the last', '+OK\r\n+OK\r\n_\r\n', [2]],
    ['all', '_\r\n_\r\n_\r\n', [0, 1, 2]],
  ])('tell which replies were null: %s', async (_, replies, nulls) => {
    await using server = await ScriptedServer.start(answering(replies))
    const client = await server.connect()
    expect(await three().sendTo(client)).toEqual(nulls)
    // What follows has a reply of its own.
    expect(await client.ping()).toBe('PONG')
    expect(server.received.startsWith('three commands')).toBe(true)
    client.disconnect()
  })

  test('fail with the first error, and what follows gets its own reply', async () => {
    await using server = await ScriptedServer.start(answering('+OK\r\n-ERR one of them\r\n-ERR another\r\n'))
    const client = await server.connect()
    const [failed, pong] = await Promise.allSettled([three().sendTo(client), client.ping()])
    expect(failed).toMatchObject({status: 'rejected', reason: {message: 'ERR one of them'}})
    expect(pong).toMatchObject({value: 'PONG'})
    client.disconnect()
  })

  test('fail where the connection breaks after some of the replies, and the next one starts afresh', async () => {
    await using server = await ScriptedServer.start((socket, received) =>
      isPing(received) ? socket.write('+PONG\r\n') : socket.end('+OK\r\n_\r\n'),
    )
    const client = await server.connect()
    await expect(three().sendTo(client)).rejects.toThrow('max retries per request')
    await once(client, 'ready')
    expect(server.connections).toBe(2)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  test('fail in time where no reply comes, and replies that come late are not those of another', async () => {
    let replies = Promise.resolve()
    await using server = await ScriptedServer.start((socket, received) => {
      replies = replies.then(async () => {
        if (!isPing(received)) await sleep(300)
        socket.write(isPing(received) ? '+PONG\r\n' : '+OK\r\n_\r\n+OK\r\n')
      })
    })
    const client = await server.connect({commandTimeout: 200})
    await expect(three().sendTo(client)).rejects.toThrow('Command timed out')
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })
})

test('rows for a connection that is not writable any more fail as all commands do, and are sent over the next one', async () => {
  await using server = await ScriptedServer.start((socket) => socket.write('+OK\r\n+OK\r\n'))
  const client = await server.connect()
  const call = new ExpiringFirstWriteCall(64)
  const keys = new RedisKeys('rides')
  for (const driver of [1n, 2n]) {
    const key = keys.rowOf(onlineTable('driver', {driver_id: 'int64'}, {}), [driver])
    call.add(key, {appendTo: (target) => target.append(Buffer.from('row'))}, 0, 5)
  }
  client.stream.end()
  expect(client.status).toBe('ready')
  await expect(call.sendTo(client)).rejects.toThrow('max retries per request')
  expect(server.received).toBe('')
  await once(client, 'ready')
  expect(await call.sendTo(client)).toEqual({unchanged: 0, met: 0})
  client.disconnect()
})

test('commands that the client holds back fail where its login is refused, and the next ones get their replies', async () => {
  await using server = await ScriptedServer.start(answering('+OK\r\n_\r\n+OK\r\n'))
  const client = await server.connect()
  server.greeting = '-WRONGPASS no\r\n'
  client.disconnect(true)
  await once(client, 'reconnecting')
  const many = new PackedPipeline('set', Buffer.from('many commands'), 500)
  const refused = Promise.allSettled([three().sendTo(client), many.sendTo(client)])
  expect(await refused).toMatchObject([{reason: {name: 'ReplyError'}}, {reason: {name: 'ReplyError'}}])
  expect(client.commandQueue.length).toBe(0)
  server.greeting = '%0\r\n'
  await once(client, 'ready')
  expect(await Promise.all([three().sendTo(client), client.ping()])).toEqual([[1], 'PONG'])
  expect(server.received).not.toContain('many')
  client.disconnect()
})

test('commands that the client holds back until it is connected have each their reply', async () => {
  await using server = await ScriptedServer.start(answering('_\r\n+OK\r\n_\r\n'))
  const client = await server.connect()
  client.disconnect(true)
  await once(client, 'reconnecting')
  const connected = once(client, 'ready')
  void client.connect().catch(() => undefined)
  const replies = Promise.allSettled([three().sendTo(client), client.ping()])
  await connected
  expect(await replies).toMatchObject([{value: [0, 2]}, {value: 'PONG'}])
  client.disconnect()
})

test('what a command begins with is none of its strings', () => {
  const strings = new BulkStrings(8)
  strings.addFramed(Buffer.from('*3\r\n$3\r\nSET\r\n'))
  strings.addNumber(42)
  strings.addBytes(Buffer.from('*6\r\n'), 4)
  expect(Array.from(strings, String)).toEqual(['SET', '42', '*6\r\n'])
  expect(strings.count).toBe(2)
})
