import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createServer as createTlsServer} from 'node:tls'
import {makeCertificates} from './certificates.js'
import {KeyspacesRules} from './keyspaces/keyspaces-rules.js'
import {ProxiedConnection, type Gate} from './keyspaces/proxied-connection.js'
import {WriteThrottle, type ThrottleStats} from './keyspaces/write-throttle.js'

/** Where Cassandra is (without a login of its own), and how many writes it is to take. */
export interface ThrottleOptions {
  readonly cassandraHost: string
  readonly cassandraPort: number
  /** Without it nothing is throttled. */
  readonly writesPerSecond?: number
  /** Writes at once beyond the rate; by default what comes in 50 ms. */
  readonly burst?: number
  /** The period after which twice its traffic is let through; 30 minutes at Amazon, never by default. */
  readonly doublingMillis?: number
}

export interface KeyspacesOptions extends ThrottleOptions {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** How long a new table is CREATING; a tenth of a second by default. */
  readonly tableCreationMillis?: number
}

/**
 * There is no Amazon Keyspaces on loopback; this makes a real Cassandra behave like it: TLS for localhost, the login by
 * SigV4, its rules (`KeyspacesRules` tells which), its region for a data center, and its throttling.
 *
 * It does not prove that Amazon's servers agree with their guide, nor its errors' words, IAM, several nodes and their
 * addresses, read capacity, the limits of a partition or of a connection, prices, or what a real network does.
 */
export class KeyspacesProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #gate: Gate
  readonly #folder: string | undefined
  readonly #sockets = new Set<Socket>()

  private constructor(gate: Gate, {cassandraHost, cassandraPort}: ThrottleOptions, isSecure: boolean) {
    this.#gate = gate
    const accept = (client: Socket): void => {
      const cassandra = connect(cassandraPort, cassandraHost)
      for (const socket of [client, cassandra]) {
        this.#sockets.add(socket)
        socket.once('close', () => this.#sockets.delete(socket))
      }
      new ProxiedConnection(client, cassandra, gate)
    }
    if (!isSecure) {
      this.#server = createServer(accept)
      return
    }
    this.#folder = mkdtempSync(join(tmpdir(), 'fs-keyspaces-'))
    const {certificate, key} = makeCertificates(this.#folder)
    this.#server = createTlsServer({cert: readFileSync(certificate), key: readFileSync(key)}, accept)
    // A client that does not trust the certificate hangs up: its own affair.
    this.#server.on('tlsClientError', () => undefined)
  }

  /** On a free port of loopback. */
  static async start(options: KeyspacesOptions): Promise<KeyspacesProxy> {
    const {region, accessKeyId, secretAccessKey, sessionToken, tableCreationMillis = 100} = options
    const gate = {
      credentials: {region, accessKeyId, secretAccessKey, sessionToken},
      rules: new KeyspacesRules({region, tableCreationMillis}),
      throttle: new WriteThrottle(options),
      prepared: new Map(),
    }
    return new KeyspacesProxy(gate, options, true).#listen()
  }

  /** Cassandra as it is, without TLS or login of ours, that takes so many writes and no more. */
  static async startPlain(options: ThrottleOptions): Promise<KeyspacesProxy> {
    return new KeyspacesProxy(
      {throttle: new WriteThrottle(options), prepared: new Map()},
      options,
      false,
    ).#listen()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The authority to trust (PEM); of a plain proxy there is none. */
  get caFile(): string {
    if (this.#folder === undefined) throw new Error('a plain proxy speaks no TLS')
    return join(this.#folder, 'ca.pem')
  }

  /** Writes that were let through and that were not. */
  stats(): ThrottleStats {
    return this.#gate.throttle.stats()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    if (this.#folder !== undefined) rmSync(this.#folder, {recursive: true, force: true})
  }

  async #listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }
}
