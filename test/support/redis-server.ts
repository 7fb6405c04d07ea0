import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {freePorts} from './free-ports.js'

const run = promisify(execFile)

/** A Redis of our own on a free port of loopback, in memory, that ends with the test. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #arguments: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, more: readonly string[]) {
    this.port = port
    this.#folder = mkdtempSync(join(tmpdir(), 'fs-redis-'))
    this.#arguments = [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#folder],
      ...['--save', '', '--appendonly', 'no'],
      ...more,
    ]
  }

  /** Throws where there is no redis-server: `npm run services:up` installs it. */
  static async start(...more: readonly string[]): Promise<RedisServer> {
    const [port] = await freePorts(1)
    const server = new RedisServer(port, more)
    await server.up()
    return server
  }

  /** Speaks TLS alone. */
  static async startTls(
    {ca, certificate, key}: {readonly ca: string; readonly certificate: string; readonly key: string},
    ...more: readonly string[]
  ): Promise<RedisServer> {
    const [port] = await freePorts(1)
    const tls = ['--tls-port', String(port), '--tls-cert-file', certificate, '--tls-key-file', key]
    const trust = ['--tls-ca-cert-file', ca, '--tls-auth-clients', 'no']
    const server = new RedisServer(port, ['--port', '0', ...tls, ...trust, ...more])
    await server.up()
    return server
  }

  async up(): Promise<void> {
    const child = spawn('redis-server', this.#arguments, {stdio: 'ignore'})
    this.#process = child
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`redis-server exited with ${code ?? 'a signal'}`)))
    })
    failed.catch(() => undefined)
    await Promise.race([this.#answers(), failed])
  }

  /** Ends the process at once; what it held is gone. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** What `redis-cli` says to a command. */
  async ask(...command: readonly string[]): Promise<string> {
    return (await run('redis-cli', ['-p', String(this.port), ...command])).stdout.trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, {recursive: true, force: true})
  }

  async #answers(): Promise<void> {
    while (!(await isListening(this.port))) await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Three masters of our own that share the slots. */
export class RedisCluster implements AsyncDisposable {
  readonly nodes: readonly RedisServer[]

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  static async start(): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({length: 3}, () =>
        RedisServer.start(
          '--cluster-enabled',
          'yes',
          '--cluster-node-timeout',
          '2000',
          '--cluster-port',
          '0',
        ),
      ),
    )
    const cluster = new RedisCluster(nodes)
    const addresses = nodes.map(({port}) => `127.0.0.1:${port}`)
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'])
    for (const node of nodes)
      while (!(await node.ask('cluster', 'info')).includes('cluster_state:ok'))
        await new Promise((resolve) => setTimeout(resolve, 100))
    return cluster
  }

  /** For `connection_string`. */
  get addresses(): string {
    return this.nodes.map(({port}) => `127.0.0.1:${port}`).join(',')
  }

  async flush(): Promise<void> {
    for (const node of this.nodes) await node.ask('flushall')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]()
  }
}

/** A server listens when it is ready; whether it wants TLS or a login is not asked. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', settle(true))
    socket.once('error', settle(false))
  })
}
