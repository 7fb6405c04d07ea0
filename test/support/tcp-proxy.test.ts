import {once} from 'node:events'
import {connect, createServer, type AddressInfo, type Socket} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, afterEach, beforeAll, beforeEach, expect, test} from 'vitest'
import {TcpProxy} from './tcp-proxy.js'

const echo = createServer({allowHalfOpen: true}, (socket) => {
  socket.on('error', () => undefined)
  socket.pipe(socket)
})
let proxy: TcpProxy
const clients: Socket[] = []

beforeAll(async () => {
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
})
afterAll(() => echo.close())
beforeEach(async () => {
  proxy = await TcpProxy.start((echo.address() as AddressInfo).port)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy[Symbol.asyncDispose]()
})

async function open(): Promise<Socket> {
  const client = connect(proxy.port, '127.0.0.1')
  clients.push(client)
  await once(client, 'connect')
  return client
}

/** Sends bytes and waits until as many came back. */
async function echoOf(client: Socket, sent: Buffer): Promise<Buffer> {
  const heard: Buffer[] = []
  const all = new Promise<Buffer>((resolve, reject) => {
    client.once('error', reject)
    client.on('data', (bytes: Buffer) => {
      heard.push(bytes)
      if (heard.reduce((sum, {length}) => sum + length, 0) >= sent.length) resolve(Buffer.concat(heard))
    })
  })
  client.write(sent)
  const echoed = await all
  client.removeAllListeners('data').removeAllListeners('error')
  return echoed
}

/** Bytes that differ from place to place. */
const bytesOf = (length: number): Buffer => Buffer.from(Array.from({length}, (_, at) => (at * 7919) % 251))

test('passes everything on, in order, and counts it', async () => {
  const sent = bytesOf(3_000_000)
  const [first, second] = [await open(), await open()]
  const echoed = await Promise.all([echoOf(first, sent), echoOf(second, sent)])
  for (const heard of echoed) expect(heard.equals(sent)).toBe(true)
  expect(proxy.connections).toBe(2)
  expect(proxy.bytes).toEqual({up: 6_000_000, down: 6_000_000})
})

test('an end is passed on after what was said before it', async () => {
  proxy.delay(50)
  const client = await open()
  const heard: Buffer[] = []
  client.on('data', (bytes: Buffer) => heard.push(bytes))
  client.end('last words')
  await once(client, 'close')
  expect(Buffer.concat(heard).toString()).toBe('last words')
})

test('a delay costs each round trip its time', async () => {
  proxy.delay(100)
  const client = await open()
  // Timers may fire a little early.
  const start = performance.now()
  await echoOf(client, bytesOf(10))
  expect(performance.now() - start).toBeGreaterThan(190)
  proxy.heal()
  expect(await echoOf(client, bytesOf(10))).toEqual(bytesOf(10))
})

// Thirty chunks and more each way: one after the other they would take half a minute.
test('what is sent at once waits at once', {timeout: 15_000}, async () => {
  proxy.delay(500)
  const sent = bytesOf(2_000_000)
  expect((await echoOf(await open(), sent)).equals(sent)).toBe(true)
})

test('a bandwidth is kept', async () => {
  proxy.bandwidth(1_000_000)
  const client = await open()
  const sent = bytesOf(500_000)
  const start = performance.now()
  expect((await echoOf(client, sent)).equals(sent)).toBe(true)
  expect(performance.now() - start).toBeGreaterThan(450)
})

test('a cut resets both sides, and new connections work', async () => {
  const [first, second] = [await open(), await open()]
  await echoOf(first, bytesOf(10))
  const failures = [first, second].map(async (client) => ((await once(client, 'error')) as [Error])[0])
  proxy.cut()
  for (const failure of await Promise.all(failures)) expect(failure).toMatchObject({code: 'ECONNRESET'})
  expect(await echoOf(await open(), bytesOf(10))).toEqual(bytesOf(10))
})

test('silence takes connections and bytes, answers nothing, and then all', async () => {
  const client = await open()
  await echoOf(client, bytesOf(10))
  proxy.silence()
  let isAnswered = false
  const answer = echoOf(client, bytesOf(100_000)).finally(() => (isAnswered = true))
  const late = echoOf(await open(), Buffer.from('late'))
  await sleep(200)
  expect(isAnswered).toBe(false)
  expect(proxy.bytes).toEqual({up: 10, down: 10})
  proxy.heal()
  expect(await answer).toEqual(bytesOf(100_000))
  expect((await late).toString()).toBe('late')
})

test('a silence may be cut', async () => {
  proxy.silence()
  const client = await open()
  client.write('anybody?')
  const failure = once(client, 'error')
  proxy.cut()
  expect(await failure).toMatchObject([{code: 'ECONNRESET'}])
  proxy.heal()
  expect(await echoOf(await open(), bytesOf(10))).toEqual(bytesOf(10))
})

test('where no server is, connections are reset', async () => {
  await using lonely = await TcpProxy.start(1)
  const client = connect(lonely.port, '127.0.0.1')
  expect(await once(client, 'error')).toMatchObject([{code: 'ECONNRESET'}])
})
