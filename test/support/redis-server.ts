import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import {freePorts} from './free-ports.js'

const run = promisify(execFile)

/** A Redis of our own on a free port of loopback, in memory, that ends with the test. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #arguments: string[]
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

  /** A sentinel that watches a master by the name `rides`, and needs one other to depose it. */
  static async startSentinel(master: RedisServer): Promise<RedisServer> {
    const [port] = await freePorts(1)
    const server = new RedisServer(port, ['--sentinel'])
    // It keeps what it learns in its file, so flags alone will not do.
    const file = join(server.#folder, 'sentinel.conf')
    writeFileSync(
      file,
      `sentinel monitor rides 127.0.0.1 ${master.port} 2
sentinel down-after-milliseconds rides 1000
sentinel failover-timeout rides 5000
`,
    )
    server.#arguments.unshift(file)
    await server.up()
    return server
  }

  /** A node of a cluster that is still to be made. */
  static async startNode(...more: readonly string[]): Promise<RedisServer> {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    const [busPort] = await freePorts(1)
    return RedisServer.start(...cluster, '--cluster-port', String(busPort), ...more)
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

  /** The process stands still, and its connections stay open: what is left of a machine that lost its network. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
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
    while (!(await isListening(this.port))) await pause(50)
  }
}

/** Three masters of our own that share the slots, each with as many replicas as wanted. */
export class RedisCluster implements AsyncDisposable {
  readonly nodes: readonly RedisServer[]

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  static async start(replicas = 0): Promise<RedisCluster> {
    const nodes: RedisServer[] = []
    for (let at = 0; at < 3 * (1 + replicas); at += 1)
      nodes.push(await RedisServer.startNode('--repl-diskless-sync-delay', '0'))
    const cluster = new RedisCluster(nodes)
    const addresses = cluster.addresses.split(',')
    await run('redis-cli', [
      ...['--cluster', 'create', ...addresses],
      ...['--cluster-replicas', String(replicas), '--cluster-yes'],
    ])
    for (const node of nodes) while (!(await hasSettled(node, 3 * replicas))) await pause(100)
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

/** Whether a node takes the cluster for whole, and has its master's rows where it is a replica. */
async function hasSettled(node: RedisServer, replicas: number): Promise<boolean> {
  if (!(await node.ask('cluster', 'info')).includes('cluster_state:ok')) return false
  if ((await node.ask('cluster', 'nodes')).split('slave').length - 1 !== replicas) return false
  return !(await node.ask('info', 'replication')).includes('master_link_status:down')
}

/** A master of our own, its replica, and three sentinels that watch them. */
export class RedisSentinels implements AsyncDisposable {
  readonly master: RedisServer
  readonly replica: RedisServer
  readonly #sentinels: readonly RedisServer[]

  private constructor(master: RedisServer, replica: RedisServer, sentinels: readonly RedisServer[]) {
    this.master = master
    this.replica = replica
    this.#sentinels = sentinels
  }

  static async start(): Promise<RedisSentinels> {
    const master = await RedisServer.start('--repl-diskless-sync-delay', '0')
    const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${master.port}`)
    const sentinels: RedisServer[] = []
    for (let at = 0; at < 3; at += 1) sentinels.push(await RedisServer.startSentinel(master))
    while (!(await replica.ask('info', 'replication')).includes('master_link_status:up')) await pause(100)
    for (const sentinel of sentinels)
      while (!/slaves=1,sentinels=3/.test(await sentinel.ask('info', 'sentinel'))) await pause(100)
    return new RedisSentinels(master, replica, sentinels)
  }

  /** For `connection_string`. */
  get addresses(): string {
    return this.#sentinels.map(({port}) => `127.0.0.1:${port}`).join(',')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [...this.#sentinels, this.replica, this.master]) await server[Symbol.asyncDispose]()
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
