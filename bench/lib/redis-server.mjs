// A Redis of a benchmark's own: empty, on loopback, at a free port; it ends with the benchmark.
import {spawn} from 'node:child_process'
import {createServer} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {Redis} from 'ioredis'

export async function startRedis() {
  const port = await freePort()
  const server = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  })
  const client = new Redis({port})
  client.on('error', () => undefined)
  while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(50)
  return {
    port,
    address: `127.0.0.1:${port}`,
    client,
    close() {
      client.disconnect()
      server.kill()
    },
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const {port} = probe.address()
      probe.close(() => resolve(String(port)))
    })
  })
}
