import cassandra, {type Client, type QueryOptions, type types} from 'cassandra-driver'
import {FeatureStoreError} from '../../errors.js'
import {patiently} from '../../patiently.js'
import {StoreRefusal} from '../pacing/write-pacer.js'
import {whenAllHostsAreDown} from './all-hosts-down.js'
import type {CassandraSettings} from './cassandra-settings.js'
import {hintFor, isAboutStatement, isUnprepared, reasonOf, refusalCauseOf} from './driver-errors.js'
import {openSession} from './open-session.js'

const {consistencies} = cassandra.types
/** As `patienceMillis`, for servers that never answered. */
const firstPatienceMillis = 5000
/** A session without any answer for so long is given up. */
const longestSilenceMillis = 3000

/** A statement with its values, encoded or of the driver's types. */
export interface Statement {
  readonly query: string
  readonly params: unknown[]
}

/**
 * A session whose requests settle in bounded time and are sent again by us alone, which is safe because all of ours may
 * run twice. A session that lost its servers is replaced by a new one: the driver's own ways back multiply with each
 * connection that is cut, take up to ten minutes, or end nowhere (all seen with 4.10).
 */
export class CassandraConnection implements AsyncDisposable {
  readonly #settings: CassandraSettings
  readonly #patienceMillis: number
  readonly #readOptions: QueryOptions
  readonly #writeOptions: QueryOptions
  readonly #sharedOptions: QueryOptions
  #session: Promise<Client> | undefined
  /** Of that session, when it is open. */
  #client: Client | undefined
  #answeredAt = 0
  #isClosed = false
  /** Sessions that were given up and are being closed. */
  readonly #closing = new Set<Promise<void>>()

  constructor(settings: CassandraSettings, patienceMillis: number) {
    this.#settings = settings
    this.#patienceMillis = patienceMillis
    const {readConsistency, writeConsistency} = settings
    this.#readOptions = {prepare: true, isIdempotent: true, consistency: levelOf(readConsistency)}
    this.#writeOptions = {
      prepare: true,
      isIdempotent: true,
      logged: false,
      consistency: levelOf(writeConsistency),
    }
    // What one run notes, the next one must see, also where rows may be read late.
    const isWeak = ['ONE', 'LOCAL_ONE'].includes(writeConsistency)
    this.#sharedOptions = isWeak
      ? {...this.#writeOptions, consistency: consistencies.localQuorum}
      : this.#writeOptions
  }

  get settings(): CassandraSettings {
    return this.#settings
  }

  /** One read of one partition, again and again while what stops it may pass. Throws FS_STORE_UNAVAILABLE. */
  read(statement: Statement): Promise<types.ResultSet> {
    return this.#patiently((client) => execute(client, statement, this.#readOptions))
  }

  /** The same, once: throws StoreRefusal where it may be asked again, or FS_STORE_UNAVAILABLE. */
  readOnce(statement: Statement): Promise<types.ResultSet> {
    return this.#once((client) => execute(client, statement, this.#readOptions))
  }

  /**
   * Statements that come first of all or change little: schemas, catalogs, leases. At quorum, as `read` is not. Throws
   * FS_STORE_UNAVAILABLE, or the reason of a signal that ends its patience.
   */
  run(statement: Statement, signal?: AbortSignal): Promise<types.ResultSet> {
    return this.#patiently((client) => execute(client, statement, this.#sharedOptions), signal)
  }

  /** Changes the schema, and waits until all nodes know. */
  changeSchema(query: string): Promise<types.ResultSet> {
    return this.#patiently((client) => client.execute(query))
  }

  /** Statements one after the other. Once: throws StoreRefusal where they may be sent again, or FS_STORE_UNAVAILABLE. */
  async writeOnce(statements: readonly Statement[]): Promise<void> {
    await this.#once(async (client) => {
      for (const statement of statements) await execute(client, statement, this.#writeOptions)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const client = await this.#session?.catch(() => undefined)
    if (client !== undefined) this.#giveUp(client)
    await Promise.all(this.#closing)
  }

  async #patiently<T>(use: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    // What never answered is rather set wrong than gone for a moment.
    const millis =
      this.#answeredAt > 0 ? this.#patienceMillis : Math.min(this.#patienceMillis, firstPatienceMillis)
    try {
      return await patiently(() => this.#use(use), {
        millis,
        mayPass: (error) => this.#refusalOf(error) !== undefined,
        signal,
      })
    } catch (error) {
      throw error === signal?.reason ? error : this.#told(error)
    }
  }

  async #once<T>(use: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await this.#use(use)
    } catch (error) {
      throw this.#refusalOf(error) ?? this.#told(error)
    }
  }

  async #use<T>(use: (client: Client) => Promise<T>): Promise<T> {
    // Else what is still tried then would open a session that nobody closes.
    if (this.#isClosed) throw this.#unavailable(new Error('the connection was closed'))
    const client = await this.#connected()
    try {
      const answer = await use(client)
      this.#answeredAt = performance.now()
      return answer
    } catch (error) {
      const refusal = refusalCauseOf(error)
      if (refusal !== 'connection') this.#answeredAt = performance.now()
      else if (performance.now() - this.#answeredAt > longestSilenceMillis) this.#giveUp(client)
      throw error
    }
  }

  #connected(): Promise<Client> {
    this.#session ??= openSession(this.#settings).then(
      (client) => {
        this.#client = client
        this.#answeredAt = performance.now()
        whenAllHostsAreDown(client, this.#settings.localDatacenter, () => this.#giveUp(client))
        return client
      },
      (error: unknown) => {
        this.#session = undefined
        throw error
      },
    )
    return this.#session
  }

  /** What waits in the session fails, and is sent again in another one. */
  #giveUp(client: Client): void {
    if (client !== this.#client) return
    this.#session = undefined
    this.#client = undefined
    const closing = client
      .shutdown()
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  #refusalOf(error: unknown): StoreRefusal | undefined {
    // What is closed stays closed.
    const refusal = this.#isClosed ? undefined : refusalCauseOf(error)
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
      {hint: hintFor(reason, this.#settings.product), cause: error},
    )
  }
}

/** Under another text, which no server has forgotten, a statement that can't be prepared gets the server's reason. */
async function execute(
  client: Client,
  {query, params}: Statement,
  options: QueryOptions,
): Promise<types.ResultSet> {
  try {
    return await client.execute(query, params, options)
  } catch (error) {
    if (!isUnprepared(error)) throw error
    return client.execute(`${query} `, params, options)
  }
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
