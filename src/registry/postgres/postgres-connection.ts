import pg from 'pg'
import {FeatureStoreError} from '../../errors.js'
import {patiently} from '../../patiently.js'
import {shownLocation} from '../location.js'
import {mayPass} from './postgres-errors.js'

const connectMillis = 10_000
/** The server gives up first, so that it does not do later what it was not waited for. */
const statementMillis = 8000
const queryMillis = 10_000
/** Long enough for a restart or a failover, and for some queries that time out. */
const patienceMillis = 45_000

/** Connections that are made when they are needed, and end with the process at the latest. */
export class PostgresConnection implements AsyncDisposable {
  /** Whether nothing leaves this machine. */
  readonly isOnLoopback: boolean
  readonly #pool: pg.Pool
  /** A server that was never there is told at once; one that was may come back. */
  #hasAnswered = false
  #isClosed = false

  /** Throws FS_CONFIG_INVALID for what is no URL. */
  constructor(location: string) {
    let config: pg.PoolConfig
    try {
      // As psql understands it: `sslmode=require` does not ask who signed the certificate, `verify-full` does.
      const url = new URL(location)
      if (!url.searchParams.has('uselibpqcompat')) url.searchParams.set('uselibpqcompat', 'true')
      config = {connectionString: url.href}
      this.isOnLoopback = /^(localhost|127\..*|\[::1\]|)$/.test(url.hostname)
    } catch (cause) {
      throw new FeatureStoreError(
        'FS_CONFIG_INVALID',
        `\`registry\` ${shownLocation(location)} is not a URL like postgres://user@host:5432/database.`,
        {hint: 'Special characters in it are written by percent: %40 for @, %2F for /.', cause},
      )
    }
    this.#pool = new pg.Pool({
      ...config,
      max: 2,
      connectionTimeoutMillis: connectMillis,
      statement_timeout: statementMillis,
      query_timeout: queryMillis,
      application_name: 'feature-repo',
      allowExitOnIdle: true,
      keepAlive: true,
    })
    // A connection that breaks while nobody uses it is replaced by the next query.
    this.#pool.on('error', () => undefined)
  }

  async query(
    text: string,
    values: readonly unknown[],
  ): Promise<{
    readonly rows: readonly Readonly<Record<string, unknown>>[]
    readonly rowCount: number | null
  }> {
    try {
      const result = await this.#pool.query<Record<string, unknown>>(text, [...values])
      this.#hasAnswered = true
      return result
    } catch (error) {
      // What the server itself says is wrong is an answer as well.
      if (error instanceof pg.DatabaseError) this.#hasAnswered = true
      throw error
    }
  }

  /** Does work that may run twice, again and again while what stops it may pass. */
  attempt<T>(work: () => Promise<T>): Promise<T> {
    return patiently(work, {millis: patienceMillis, mayPass: (error) => mayPass(error) && this.#hasAnswered})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#pool.end()
  }
}
