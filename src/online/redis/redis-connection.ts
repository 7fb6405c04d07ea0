import {Cluster, Redis, type RedisOptions} from 'ioredis'
import {FeatureStoreError} from '../../errors.js'
import {patiently} from '../../patiently.js'
import {StoreRefusal, type RefusalCause} from '../pacing/write-pacer.js'
import type {RedisSettings} from './redis-settings.js'

/** The longest that one command may take before it counts as lost. */
const commandTimeoutMillis = 5000
/** What a connection that is ended has to close, before it is cut: nothing waits for an answer then. */
const disconnectTimeoutMillis = 200
/** The client holds back what a cluster can't take at the moment, without an end; what we try at once takes some commands. */
const attemptTimeoutMillis = 3 * commandTimeoutMillis
/** As `patienceMillis`, for a server that never answered. */
const firstPatienceMillis = 5000
const firstPauseMillis = 50
const longestPauseMillis = 2000

const refusedLogin = /^(WRONGPASS|NOAUTH|NOPERM)|invalid password/i

/** What passes by itself: the server starts, fails over, is full of clients or of work. */
const transientReply =
  /^(LOADING|READONLY|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|MASTERDOWN|BUSY|NOREPLICAS|ERR max number of clients)/
const transientFailure =
  /Command timed out|Socket timeout|Connection is closed|Stream isn't writeable|max retries per request|Too many Cluster redirections|refresh slots cache|None of startup nodes|Cluster isn't ready|sentinels are unreachable|EAI_AGAIN|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i

/**
 * A connection whose commands settle in bounded time and are sent again by us alone, which is safe because all of ours
 * may run twice. ioredis would send again what it had sent before the connection broke, long after the caller was told
 * that it failed.
 */
export class RedisConnection implements AsyncDisposable {
  readonly isCluster: boolean
  readonly isEncrypted: boolean
  /** Whether no command leaves this machine. */
  readonly isOnLoopback: boolean
  /** host:port of each node that settings name. */
  readonly place: string
  readonly #client: Redis | Cluster
  readonly #patienceMillis: number
  /** Why there is no connection: of a failed login or handshake, commands say no more than that it is closed. */
  #reason: Error | undefined
  /** What was never reached is rather set wrong than gone for a moment. */
  #wasReady = false
  #isClosed = false
  readonly #settings: RedisSettings
  #connecting: Promise<void> | undefined

  constructor(settings: RedisSettings, patienceMillis: number) {
    this.place = settings.nodes.map(({host, port}) => `${host}:${port}`).join(', ')
    this.#patienceMillis = patienceMillis
    this.isCluster = settings.type === 'redis_cluster'
    this.isEncrypted = settings.ssl
    this.isOnLoopback = settings.nodes.every(({host}) => /^(localhost|127\..*|::1)$/.test(host))
    this.#settings = settings
    this.#client = connect(settings)
    this.#client.on('error', (error: Error) => (this.#reason = originOf(error)))
    this.#client.on('ready', () => {
      this.#reason = undefined
      this.#wasReady = true
    })
  }

  /**
   * Runs commands that may run twice, again and again while what stops them may pass, and until a signal ends that. Throws
   * FS_STORE_UNAVAILABLE, or the signal's reason.
   */
  async run<T>(commands: (client: Redis | Cluster) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const millis = this.#wasReady ? this.#patienceMillis : Math.min(this.#patienceMillis, firstPatienceMillis)
    try {
      return await patiently(() => this.once(commands), {
        millis,
        mayPass: (error) => error instanceof StoreRefusal,
        signal,
      })
    } catch (error) {
      throw error instanceof StoreRefusal ? error.cause : error
    }
  }

  /** Runs commands once. Throws StoreRefusal where what stopped them may pass, else FS_STORE_UNAVAILABLE. */
  async once<T>(commands: (client: Redis | Cluster) => Promise<T>): Promise<T> {
    // Else what is still tried then would connect anew, and nobody would close that.
    if (this.#isClosed) throw this.#unavailable(new Error('The connection was closed.'))
    try {
      if (this.#client.status !== 'ready') await this.#beReady()
      return await (this.#client instanceof Cluster
        ? withinBounds(commands(this.#client))
        : commands(this.#client))
    } catch (error) {
      const cause = this.#causeOf(error)
      if (!isTransient(cause)) throw this.#unavailable(cause)
      if (cause.message.startsWith('READONLY') && this.#client instanceof Redis) {
        // Until there is a new connection, other commands say no more than that there is none.
        this.#reason = cause
        reconnect(this.#client)
      }
      await refreshSlots(this.#client)
      throw new StoreRefusal(refusalOf(cause.message), this.#unavailable(cause))
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as the interface wants it
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#client.disconnect()
  }

  /** A single server's commands wait until it is connected, for as long as a command may take; a cluster's have no end. */
  async #beReady(): Promise<void> {
    if (['wait', 'end'].includes(this.#client.status))
      this.#connecting = this.#client.connect().finally(() => (this.#connecting = undefined))
    // Sentinels that know no such master are asked again and again.
    if (this.#connecting !== undefined) await withinBounds(this.#connecting)
    // The client goes on with database 0 where the one that was asked for is not there.
    const {db} = this.#settings
    if (db > 0 && !(this.#client instanceof Cluster)) await this.#client.select(db)
    if (this.isCluster && this.#client.status !== 'ready') throw new Error("Cluster isn't ready")
  }

  /** The event tells why where the command only says that the connection is gone. */
  #causeOf(error: unknown): Error {
    const told = originOf(error instanceof Error ? error : new Error(String(error)))
    const cause = transientFailure.test(told.message) && this.#reason !== undefined ? this.#reason : told
    // The client waits as long for a command as for any word on its connection: which it gives up first is chance.
    return /^Socket timeout/.test(cause.message) ? new Error('Command timed out', {cause}) : cause
  }

  #unavailable(cause: Error): FeatureStoreError {
    return new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `Redis at ${this.place}: ${cause.message.replace(/ Please report this\.$/, '').replace(/\.?$/, '.')}`,
      {hint: hintFor(cause.message, this.#settings), cause},
    )
  }
}

function connect(settings: RedisSettings): Redis | Cluster {
  const {nodes, type, ssl, ca, username, password, db, sentinelMaster} = settings
  const tls = ca === undefined ? {} : {ca}
  const options = {
    ...(username === undefined ? {} : {username}),
    ...(password === undefined ? {} : {password}),
    ...(ssl ? {tls} : {}),
    lazyConnect: true,
    connectTimeout: commandTimeoutMillis,
    commandTimeout: commandTimeoutMillis,
    disconnectTimeout: disconnectTimeoutMillis,
    // A machine that lost its network never closes a connection; a new one may lead elsewhere.
    socketTimeout: commandTimeoutMillis,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions
  switch (type) {
    case 'redis':
      // A server that loads its data says so to every command. The client's own look warns on the console of users without INFO.
      return new Redis({...options, ...nodes[0], db, enableReadyCheck: false, retryStrategy: pauseAfter})
    case 'redis_sentinel':
      return new Redis({
        ...options,
        sentinels: [...nodes],
        name: sentinelMaster ?? '',
        db,
        retryStrategy: pauseAfter,
        sentinelRetryStrategy: pauseAfter,
        ...(ssl ? {enableTLSForSentinelMode: true, sentinelTLS: tls} : {}),
      })
    case 'redis_cluster':
      return new Cluster([...nodes], {
        lazyConnect: true,
        redisOptions: options,
        clusterRetryStrategy: pauseAfter,
        // The names in certificates of ElastiCache are those that the cluster tells, not their addresses.
        dnsLookup: (address, callback) => callback(null, address),
      })
    default:
      return type satisfies never
  }
}

/** What a transaction was given up for, or a cluster could not be asked for, where the client's own words hide it. */
function originOf(
  error: Error & {readonly previousErrors?: readonly Error[]; readonly lastNodeError?: Error | null},
): Error {
  const {previousErrors, lastNodeError} = error
  if (previousErrors?.[0] !== undefined) return previousErrors[0]
  return lastNodeError && refusedLogin.test(lastNodeError.message) ? lastNodeError : error
}

async function withinBounds<T>(replies: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Command timed out')), attemptTimeoutMillis)
  })
  return Promise.race([replies, end]).finally(() => clearTimeout(timer))
}

/**
 * Where a master became a replica, a new connection may lead to its successor. Not by the client's own `reconnectOnError`:
 * it closes the connection once for each command that was refused.
 */
function reconnect(client: Redis): void {
  if (client.stream.writable) client.disconnect(true)
}

/** Learns who holds which slots now. When no node tells, the next attempt fails as well. */
export async function refreshSlots(client: Redis | Cluster): Promise<void> {
  if (!(client instanceof Cluster) || client.status !== 'ready') return
  await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()))
}

function pauseAfter(attempts: number): number {
  return Math.min(longestPauseMillis, firstPauseMillis * 2 ** Math.min(attempts, 10))
}

function isTransient({message}: Error): boolean {
  return transientReply.test(message) || transientFailure.test(message)
}

function refusalOf(message: string): RefusalCause {
  if (/timed out/i.test(message)) return 'timeout'
  if (/^BUSY|max number of clients/.test(message)) return 'overloaded'
  return transientReply.test(message) ? 'unavailable' : 'connection'
}

function hintFor(message: string, {type, ssl}: RedisSettings): string {
  if (/^(CLUSTERDOWN|MOVED|CROSSSLOT)/.test(message) && type !== 'redis_cluster')
    return 'The server is part of a cluster: set `redis_type: redis_cluster`.'
  if (message.startsWith('READONLY'))
    return 'The server is a replica: name its primary (of ElastiCache the primary endpoint), or sentinels with `redis_type: redis_sentinel`.'
  if (/slots cache|startup nodes|Cluster isn't ready/.test(message))
    return 'Check that the server is up and runs in cluster mode; without that, leave `redis_type` out.'
  if (/sentinels are unreachable|Retrying from scratch/.test(message))
    return 'Check that the hosts are sentinels (often at port 26379) and know the master that `sentinel_master` names.'
  if (/Unknown RESP type/.test(message))
    return 'Something else than Redis answers there: check the port in `online_store.connection_string`.'
  if (ssl && /ETIMEDOUT|ECONNRESET|timed out|closed/i.test(message))
    return 'Check that the server is up and speaks TLS at this port; for one that does not, leave `ssl=true` and `ca_file` out.'
  if (refusedLogin.test(message)) return 'Check the username, the password and the rights of that user (ACL).'
  if (/^(MISCONF|NOREPLICAS)/.test(message))
    return 'The server takes no writes for now: `fs doctor` says why.'
  if (message.startsWith('OOM'))
    return 'Give Redis more memory (`maxmemory`), or keep fewer rows: a shorter ttl.'
  if (/certificate|TLS|SSL|ALTNAME/i.test(message))
    return 'Check `ssl=true` and the certificate of the server.'
  return 'Check `online_store.connection_string` and that the server is up.'
}
