import {closeSync, openSync} from 'node:fs'
import {Agent, request as httpRequest} from 'node:http'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {pythonTools} from '../python-tools.mjs'
import {spawnTied} from '../spawn-tied.mjs'

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))
const startMillis = 60_000

/** Fetches moto where it is missing. */
export function installMoto() {
  pythonTools(requirements)
}

/** A moto server (https://docs.getmoto.org) on loopback that ends with this process. All it holds is in memory. */
export class Moto {
  #port
  #process
  #agent = new Agent({keepAlive: true, maxSockets: 64})

  constructor(port, process) {
    this.#port = port
    this.#process = process
  }

  /** @param {string} folder Takes its log. */
  static async start(folder) {
    const bin = pythonTools(requirements)
    const port = await freePort()
    const log = openSync(join(folder, 'moto.log'), 'a')
    const args = ['-H', '127.0.0.1', '-p', String(port)]
    const child = spawnTied(join(bin, 'python'), [join(bin, 'moto_server'), ...args], log)
    closeSync(log)
    const moto = new Moto(port, child)
    const deadline = performance.now() + startMillis
    for (;;) {
      const answer = await moto
        .call({method: 'GET', url: '/moto-api/data.json', headers: {}})
        .catch(() => undefined)
      if (answer?.status === 200) return moto
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`moto does not start, see ${join(folder, 'moto.log')}`)
      await sleep(50)
    }
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`
  }

  /**
   * Sends a request on, its body from a stream, and gives the answer with its body still to be read.
   *
   * @param {{method: string, url: string, headers: import('node:http').OutgoingHttpHeaders}} request
   * @param {import('node:stream').Readable} [body]
   * @returns {Promise<import('node:http').IncomingMessage>}
   */
  forward({method, url, headers}, body) {
    return new Promise((resolve, reject) => {
      // Nobody waits to be told to go on: the body is on its way already.
      const {expect: _expect, ...sent} = headers
      const place = {host: '127.0.0.1', port: this.#port, agent: this.#agent}
      const forwarded = httpRequest({...place, method, path: url, headers: sent})
      forwarded.on('response', resolve).on('error', reject)
      if (body === undefined) forwarded.end()
      else body.on('error', (error) => forwarded.destroy(error)).pipe(forwarded)
    })
  }

  /**
   * The same with bodies that are small.
   *
   * @returns {Promise<import('./error-answer.mjs').Answer>}
   */
  async call({method, url, headers}, body = Buffer.alloc(0)) {
    const response = await new Promise((resolve, reject) => {
      const sized = {...headers, 'content-length': body.length}
      httpRequest({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path: url,
        headers: sized,
      })
        .on('response', resolve)
        .on('error', reject)
        .end(body)
    })
    return {status: response.statusCode, headers: response.headers, body: await readAll(response)}
  }

  end() {
    this.#process.stdin?.end()
  }
}

/** The whole of a stream. */
export async function readAll(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject).listen(0, '127.0.0.1', () => {
      const {port} = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
