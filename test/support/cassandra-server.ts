import type {ChildProcess} from 'node:child_process'
import {closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {Client, auth as login, policies, types, type ClientOptions} from 'cassandra-driver'
import {cassandraNode} from '../../scripts/services/cassandra-node.mjs'
import {makeCertificates} from './certificates.js'
import {freePorts} from './free-ports.js'
import {spawnTied} from './spawn-tied.js'

const startMillis = 120_000

interface CassandraServerOptions {
  /** Clients must speak TLS; `mutual`: and show a certificate of the same authority. */
  readonly tls?: boolean | 'mutual'
  /** Clients must log in. */
  readonly auth?: boolean
  readonly nodes?: 1 | 3
}

/** A Cassandra of our own on free ports of loopback, its data in a temporary folder, that ends with the test. */
export class CassandraServer implements AsyncDisposable {
  readonly datacenter = 'datacenter1'
  readonly port: number
  /** host:port of each node. */
  readonly contactPoints: readonly string[]
  readonly caFile: string | undefined
  /** A client's certificate and its key, for `mutual`. */
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly #folder: string
  readonly #addresses: readonly string[]
  readonly #storagePort: number
  readonly #settings: object
  readonly #processes = new Map<number, ChildProcess>()

  private constructor(port: number, storagePort: number, options: CassandraServerOptions) {
    const {tls = false, auth = false, nodes = 1} = options
    this.port = port
    this.#storagePort = storagePort
    this.#folder = mkdtempSync(join(tmpdir(), 'fs-cassandra-'))
    this.#addresses = Array.from({length: nodes}, (_, node) => `127.0.0.${node + 1}`)
    this.contactPoints = this.#addresses.map((address) => `${address}:${port}`)
    if (auth) this.username = this.password = 'cassandra'
    if (tls !== false) {
      const {ca, certificate, key} = makeCertificates(this.#folder)
      this.caFile = ca
      this.certFile = certificate
      this.keyFile = key
    }
    this.#settings = {
      ...(auth ? {authenticator: 'PasswordAuthenticator', authorizer: 'CassandraAuthorizer'} : {}),
      ...(tls === false ? {} : {client_encryption_options: this.#encryption(tls === 'mutual')}),
    }
  }

  /** Throws where Cassandra is not installed: `npm run services:up` does that. */
  static async start(options: CassandraServerOptions = {}): Promise<CassandraServer> {
    const server = new CassandraServer(...(await freePorts(2)), options)
    try {
      await server.up()
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    return server
  }

  /** Starts the nodes that are down, on the data they have, and waits until all answer and see each other. */
  async up(): Promise<void> {
    this.#addresses.forEach((address, node) => {
      if (this.#processes.has(node)) return
      const folder = join(this.#folder, address)
      mkdirSync(folder, {recursive: true})
      const {command, args} = cassandraNode({
        folder,
        address,
        port: this.port,
        storagePort: this.#storagePort,
        seeds: this.#addresses,
        settings: this.#settings,
      })
      const log = openSync(join(folder, 'log'), 'a')
      this.#processes.set(node, spawnTied(command, args, log))
      closeSync(log)
    })
    await Promise.all(this.#addresses.map((_, node) => this.#answers(node)))
  }

  /** Ends all nodes, or one, at once; what was answered stays. */
  async kill(...nodes: readonly number[]): Promise<void> {
    const ending = nodes.length === 0 ? [...this.#processes.keys()] : nodes
    await Promise.all(
      ending.map(async (node) => {
        const child = this.#processes.get(node)
        this.#processes.delete(node)
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.stdin?.end()
        await ended
      }),
    )
  }

  /** A client of ours that is connected, to look and to prepare. */
  async connect(options: Partial<ClientOptions> = {}): Promise<Client> {
    const {caFile, certFile, keyFile, username, password} = this
    const client = new Client({
      contactPoints: [...this.contactPoints],
      localDataCenter: this.datacenter,
      // What the driver (4.10) offers by default and can't speak makes it fall over its own feet when there is TLS.
      protocolOptions: {maxVersion: types.protocolVersion.v4},
      ...(username === undefined || password === undefined
        ? {}
        : {authProvider: new login.PlainTextAuthProvider(username, password)}),
      ...(caFile === undefined || certFile === undefined || keyFile === undefined
        ? {}
        : {
            sslOptions: {
              ca: readFileSync(caFile),
              cert: readFileSync(certFile),
              key: readFileSync(keyFile),
              rejectUnauthorized: true,
            },
          }),
      ...options,
    })
    try {
      await client.connect()
    } catch (error) {
      await client.shutdown()
      throw error
    }
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, {recursive: true, force: true})
  }

  #encryption(mutual: boolean): object {
    const keystore = join(this.#folder, 'keystore.pem')
    writeFileSync(
      keystore,
      readFileSync(this.keyFile ?? '', 'utf8') + readFileSync(this.certFile ?? '', 'utf8'),
    )
    return {
      enabled: true,
      optional: false,
      ssl_context_factory: {class_name: 'org.apache.cassandra.security.PEMBasedSslContextFactory'},
      keystore,
      truststore: this.caFile,
      require_client_auth: mutual,
    }
  }

  async #answers(node: number): Promise<void> {
    const child = this.#processes.get(node)
    const contactPoint = this.contactPoints[node] ?? ''
    const only = new policies.loadBalancing.WhiteListPolicy(new policies.loadBalancing.RoundRobinPolicy(), [
      contactPoint,
    ])
    // Three replicas hold it, so that ALL needs each of three nodes.
    const question = 'SELECT * FROM system_distributed.view_build_status LIMIT 1'
    const {one, all} = types.consistencies
    const consistency = this.#addresses.length === 1 ? one : all
    const deadline = performance.now() + startMillis
    for (;;) {
      try {
        const client = await this.connect({
          contactPoints: [contactPoint],
          policies: {loadBalancing: only},
        })
        try {
          await client.execute(question, [], {consistency})
          return
        } finally {
          await client.shutdown()
        }
      } catch (error) {
        if (child?.exitCode === null && performance.now() < deadline) await sleep(100)
        else
          throw new Error(`Cassandra at ${contactPoint} does not answer:\n${this.#logOf(node)}`, {
            cause: error,
          })
      }
    }
  }

  #logOf(node: number): string {
    return readFileSync(join(this.#folder, this.#addresses[node] ?? '', 'log'), 'utf8')
      .split('\n')
      .slice(-20)
      .join('\n')
  }
}
