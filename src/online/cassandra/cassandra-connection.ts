import {setTimeout as sleep} from 'node:timers/promises'
import cassandra, {type Client, type QueryOptions, type types} from 'cassandra-driver'
import {FeatureStoreError} from '../../errors.js'
import {StoreRefusal, type RefusalCause} from '../pacing/write-pacer.js'
import type {CassandraSettings} from './cassandra-settings.js'

const {consistencies, responseErrorCodes} = cassandra.types
const connectTimeoutMillis = 5000
/** The longest that one request may take before it counts as lost. */
const requestTimeoutMillis = 5000
const heartbeatMillis = 10_000
const firstPauseMillis = 50
const longestPauseMillis = 2000
/** Of prepared statements: a project has a few for each view. */
const mostStatements = 5000

const aboutStatement: ReadonlySet<number> = new Set<number>([
  responseErrorCodes.invalid,
  responseErrorCodes.configError,
  responseErrorCodes.syntaxError,
])

/** https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec, section 9 */
const refusalCodes: ReadonlyMap<number, RefusalCause> = new Map<number, RefusalCause>([
  [responseErrorCodes.overloaded, 'overloaded'],
  [responseErrorCodes.writeTimeout, 'timeout'],
  [responseErrorCodes.readTimeout, 'timeout'],
  [responseErrorCodes.unavailableException, 'unavailable'],
  [responseErrorCodes.isBootstrapping, 'unavailable'],
  [responseErrorCodes.writeFailure, 'unavailable'],
  [responseErrorCodes.readFailure, 'unavailable'],
  [responseErrorCodes.serverError, 'unavailable'],
])

/** A statement with its values, encoded or of the driver's types. */
export interface Statement {
  readonly query: string
  readonly params: unknown[]
}

/**
 * A session whose requests settle in bounded time and are sent again by us alone, which is safe because all of ours may
 * run twice.
 */
export class CassandraConnection implements AsyncDisposable {
  readonly #settings: CassandraSettings
  readonly #patienceMillis: number
  readonly #readOptions: QueryOptions
  readonly #writeOptions: QueryOptions
  #client: Promise<Client> | undefined

  constructor(settings: CassandraSettings, patienceMillis: number) {
    this.#settings = settings
    this.#patienceMillis = patienceMillis
    const {readConsistency, writeConsistency} = settings
    this.#readOptions = {prepare: true, isIdempotent: true, consistency: levelOf(readConsistency)}
    this.#writeOptions = {prepare: true, isIdempotent: true, consistency: levelOf(writeConsistency)}
  }

  get settings(): CassandraSettings {
    return this.#settings
  }

  /** One read of one partition, again and again while what stops it may pass. Throws FS_STORE_UNAVAILABLE. */
  read({query, params}: Statement): Promise<types.ResultSet> {
    return this.#patiently((client) => client.execute(query, params, this.#readOptions))
  }

  /** Statements that come first of all or change little: schemas, catalogs, leases. At quorum, as `read` is not. */
  run({query, params}: Statement): Promise<types.ResultSet> {
    return this.#patiently((client) => client.execute(query, params, this.#writeOptions))
  }

  /** Changes the schema, and waits until all nodes know. */
  changeSchema(query: string): Promise<types.ResultSet> {
    return this.#patiently((client) => client.execute(query))
  }

  /** Statements one after the other. Once: throws StoreRefusal where they may be sent again, or FS_STORE_UNAVAILABLE. */
  async writeOnce(statements: readonly Statement[]): Promise<void> {
    try {
      const client = await this.#connected()
      for (const {query, params} of statements) await client.execute(query, params, this.#writeOptions)
    } catch (error) {
      throw this.#refusalOf(error) ?? this.#told(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.shutdown()
  }

  async #patiently<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#patienceMillis
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await use(await this.#connected())
      } catch (error) {
        if (this.#refusalOf(error) === undefined || performance.now() >= deadline) throw this.#told(error)
        // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        await sleep(Math.random() * Math.min(longestPauseMillis, firstPauseMillis * 2 ** attempt))
      }
    }
  }

  #connected(): Promise<Client> {
    this.#client ??= connect(this.#settings).catch((error: unknown) => {
      this.#client = undefined
      throw error
    })
    return this.#client
  }

  #refusalOf(error: unknown): StoreRefusal | undefined {
    const refusal = refusalCauseOf(error)
    return refusal === undefined ? undefined : new StoreRefusal(refusal, this.#unavailable(error))
  }

  /** What the server says of a statement is for the caller to understand; the rest means that the store can't be had. */
  #told(error: unknown): unknown {
    return isAboutStatement(error) || error instanceof FeatureStoreError ? error : this.#unavailable(error)
  }

  #unavailable(error: unknown): FeatureStoreError {
    const {product, contactPoints} = this.#settings
    const reason = reasonOf(error)
    return new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `${product} at ${contactPoints.join(', ')}: ${reason.replace(/\.?$/, '.')}`,
      {hint: hintFor(reason), cause: error},
    )
  }
}

/** Whether the server refused a statement for what it says: a table or column that is not there, say. */
export function isAboutStatement(error: unknown): error is Error & {readonly code: number} {
  return aboutStatement.has(codeOf(error) ?? -1)
}

async function connect(settings: CassandraSettings): Promise<Client> {
  const {contactPoints, port, localDatacenter, authProvider, tls, checkLogin} = settings
  await checkLogin?.()
  const client = new cassandra.Client({
    contactPoints: contactPoints.map((point) => (/:\d+$/.test(point) ? point : `${point}:${port}`)),
    localDataCenter: localDatacenter,
    protocolOptions: {port},
    ...(authProvider === undefined ? {} : {authProvider}),
    ...(tls === undefined ? {} : {sslOptions: tls}),
    socketOptions: {connectTimeout: connectTimeoutMillis, readTimeout: requestTimeoutMillis},
    pooling: {heartBeatInterval: heartbeatMillis},
    encoding: {useBigIntAsLong: true},
    maxPrepared: mostStatements,
    policies: {retry: new cassandra.policies.retry.FallthroughRetryPolicy()},
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.shutdown().catch(() => undefined)
    closeSockets(client)
    throw error
  }
}

/** A client that failed to connect leaves sockets open, which would keep the process alive: its `shutdown` does nothing. */
function closeSockets(client: Client): void {
  const {controlConnection, hosts} = client as unknown as {
    readonly controlConnection?: {
      shutdown?(): void
      readonly connection?: {close?(done: () => void): void} | null
    }
    readonly hosts?: {forEach(close: (host: {shutdown?(waits: boolean): unknown}) => void): void}
  }
  controlConnection?.connection?.close?.(() => undefined)
  controlConnection?.shutdown?.()
  hosts?.forEach((host) => void host.shutdown?.(true))
}

function levelOf(name: CassandraSettings['readConsistency']): number {
  return {
    ONE: consistencies.one,
    LOCAL_ONE: consistencies.localOne,
    QUORUM: consistencies.quorum,
    LOCAL_QUORUM: consistencies.localQuorum,
    EACH_QUORUM: consistencies.eachQuorum,
    ALL: consistencies.all,
  }[name]
}

function codeOf(error: unknown): number | undefined {
  return error instanceof cassandra.errors.ResponseError ? error.code : undefined
}

/** Why the store did not take a request for now; undefined where it would be the same again. */
function refusalCauseOf(error: unknown): RefusalCause | undefined {
  if (error instanceof cassandra.errors.NoHostAvailableError) {
    const inner = innerErrorsOf(error)
    // No host was tried: all of them are known to be down, and are tried again by the driver.
    if (inner.length === 0) return 'connection'
    const causes = inner.map(refusalCauseOf)
    return causes.find((cause) => cause !== undefined)
  }
  if (error instanceof cassandra.errors.AuthenticationError) return undefined
  // Of a data center that these hosts are not in: it will not come by itself.
  if (error instanceof Error && /data ?center/i.test(error.message)) return undefined
  if (error instanceof cassandra.errors.OperationTimedOutError) return 'timeout'
  if (error instanceof cassandra.errors.BusyConnectionError) return 'overloaded'
  const code = codeOf(error)
  if (code === undefined) return isConnectionError(error) ? 'connection' : undefined
  return refusalCodes.get(code)
}

/** The driver passes on what the socket says, and words of its own for a connection that is gone. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (/certificate|self.signed|ALTNAME/i.test(error.message)) return false
  return (
    'isSocketError' in error ||
    /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Connection timeout|Socket was closed|connection was closed|Could not be (opened|connected)/i.test(
      error.message,
    )
  )
}

function innerErrorsOf(error: cassandra.errors.NoHostAvailableError): readonly unknown[] {
  return Object.values(error.innerErrors as Readonly<Record<string, unknown>>)
}

/** The message that a user needs is inside, one for each host; the first will do. */
function reasonOf(error: unknown): string {
  if (error instanceof cassandra.errors.NoHostAvailableError) {
    const [first] = innerErrorsOf(error)
    return first === undefined ? 'no host answers' : reasonOf(first)
  }
  return error instanceof Error ? error.message : String(error)
}

function hintFor(reason: string): string {
  if (/credentials|password|username|authenticat|permission|unauthorized/i.test(reason))
    return 'Check the username, the password and what that user may do.'
  if (/certificate|TLS|SSL|ALTNAME|self.signed/i.test(reason))
    return 'Check `online_store.tls` and the certificate of the server.'
  if (/data ?center/i.test(reason))
    return 'Set `online_store.load_balancing.local_dc` to the data center of these hosts.'
  return 'Check `online_store.hosts` and that the server is up.'
}
