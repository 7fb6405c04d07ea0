/**
 * The Redshift Data API: statements are handed in, looked after until they end, and their small answers fetched.
 * https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
 */
import {randomUUID} from 'node:crypto'
import {setTimeout as sleep} from 'node:timers/promises'
import type {
  ColumnMetadata,
  DescribeStatementCommandOutput,
  Field,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import {awsClientSettings} from '../../aws/client-settings.js'
import {FeatureStoreError} from '../../errors.js'
import {patiently} from '../../patiently.js'
import {apiError, isBusy, statementFailed} from './data-api-errors.js'
import type {RedshiftSettings} from './redshift-settings.js'

/** Statements of more bytes are refused: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations */
const longestStatement = 100 * 1024
/**
 * A session to which nobody hands a statement ends after this, with its temporary tables; and so do the transactions of a
 * process that was killed. Between two statements files may travel.
 */
const keepSessionSeconds = 1800
/** How long a cluster may be too busy to take a statement. */
const busyMillis = 120_000
/** How long a cancelled statement is waited for. */
const stopMillis = 30_000
const firstPollMillis = 30
const longestPollMillis = 2000

export interface Answer {
  readonly columns: readonly ColumnMetadata[]
  readonly rows: readonly (readonly (string | number | boolean | null)[])[]
}

type Sdk = typeof import('@aws-sdk/client-redshift-data')

export class DataApi implements AsyncDisposable {
  readonly #sdk: Sdk
  readonly #client: RedshiftDataClient
  readonly #settings: RedshiftSettings
  /** Sessions that nobody uses, and until when they live. */
  readonly #idle: {readonly session: string; readonly until: number}[] = []

  private constructor(sdk: Sdk, settings: RedshiftSettings) {
    this.#sdk = sdk
    this.#settings = settings
    this.#client = new sdk.RedshiftDataClient(awsClientSettings(settings))
  }

  get settings(): RedshiftSettings {
    return this.#settings
  }

  /** Asks nothing yet. */
  static async open(settings: RedshiftSettings): Promise<DataApi> {
    return new DataApi(await import('@aws-sdk/client-redshift-data'), settings)
  }

  /**
   * Hands a statement in: for a session, or for a new one that is kept; gives its id and the session's. Throws
   * FS_STORE_UNAVAILABLE, FS_STORE_BUSY, FS_NOT_SUPPORTED for a statement that is too long.
   */
  async start(
    sql: string,
    session: string | undefined,
    signal?: AbortSignal,
  ): Promise<{readonly id: string; readonly session: string}> {
    checkLength(sql)
    const {database, connection} = this.#settings
    // One token for all attempts: a statement whose answer was lost is not run again.
    const token = randomUUID()
    const {Id = '', SessionId} = await this.#ask(
      () =>
        this.#client.send(
          new this.#sdk.ExecuteStatementCommand({
            Sql: sql,
            ClientToken: token,
            ...(session === undefined
              ? {Database: database, ...connection, SessionKeepAliveSeconds: keepSessionSeconds}
              : {SessionId: session}),
          }),
        ),
      signal,
    )
    return {id: Id, session: session ?? SessionId ?? ''}
  }

  /**
   * Waits until a statement has ended. When it is stopped or takes too long it is cancelled, and has ended all the same
   * unless Redshift refuses that. Throws FS_QUERY_FAILED with the server's message and the statement's id.
   */
  async finish(id: string, sql: string, signal: AbortSignal | undefined): Promise<void> {
    const deadline = performance.now() + this.#settings.statementTimeoutMillis
    for (let pause = firstPollMillis; ; pause = Math.min(pause * 1.5, longestPollMillis)) {
      const state = await this.#ask(() => this.#client.send(new this.#sdk.DescribeStatementCommand({Id: id})))
      if (isDone(state)) return
      if (state.Status === 'FAILED' || state.Status === 'ABORTED') {
        signal?.throwIfAborted()
        throw statementFailed(state, id, sql)
      }
      if (performance.now() > deadline) {
        const refused = await this.#stop(id)
        throw new FeatureStoreError(
          'FS_QUERY_FAILED',
          `Redshift: the statement did not end within ${this.#settings.statementTimeoutMillis / 1000} s and ${refused === undefined ? 'was cancelled' : `may still run, for it can't be cancelled: ${refused}`} (statement ${id}).`,
          {hint: 'Raise `offline_store.statement_timeout`, or give the warehouse less to read.'},
        )
      }
      try {
        await sleep(pause * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : {signal})
      } catch {
        await this.#stop(id)
        signal?.throwIfAborted()
      }
    }
  }

  /** A session that is there and free, if there is one. Whoever takes it gives it back by `release`. */
  acquire(): string | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop())
      if (performance.now() < idle.until) return idle.session
    return undefined
  }

  /** Its transaction must have ended. */
  release(session: string): void {
    this.#idle.push({session, until: performance.now() + (keepSessionSeconds * 1000) / 2})
  }

  /** The whole answer of a statement that has run; for small ones. Integers beyond 2^53 must have been cast to text. */
  async answer(id: string): Promise<Answer> {
    const rows: (string | number | boolean | null)[][] = []
    let columns: readonly ColumnMetadata[] = []
    let next: string | undefined
    do {
      const page = await this.#ask(() =>
        this.#client.send(new this.#sdk.GetStatementResultCommand({Id: id, NextToken: next})),
      )
      columns = page.ColumnMetadata ?? columns
      rows.push(...(page.Records ?? []).map((record) => record.map(valueOf)))
      next = page.NextToken
    } while (next !== undefined && next !== '')
    return {columns, rows}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  /** Cancels a statement, and waits until its session is free. Gives the reason where that can't be. */
  async #stop(id: string): Promise<string | undefined> {
    let refused: string | undefined
    await this.#client.send(new this.#sdk.CancelStatementCommand({Id: id})).catch((error: unknown) => {
      refused = (error as Error).message
    })
    const deadline = performance.now() + stopMillis
    for (let pause = firstPollMillis; performance.now() < deadline; pause *= 1.5) {
      const {Status = ''} = await this.#client
        .send(new this.#sdk.DescribeStatementCommand({Id: id}))
        .catch((): Partial<DescribeStatementCommandOutput> => ({}))
      // It may have ended by itself.
      if (['FINISHED', 'FAILED', 'ABORTED'].includes(Status)) return undefined
      if (refused !== undefined) return refused
      await sleep(Math.min(pause, longestPollMillis))
    }
    return `it goes on after ${stopMillis / 1000} s`
  }

  async #ask<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await patiently(request, {millis: busyMillis, mayPass: isBusy, signal})
    } catch (error) {
      signal?.throwIfAborted()
      throw apiError(error, this.#settings)
    }
  }
}

function isDone(state: DescribeStatementCommandOutput): boolean {
  return state.Status === 'FINISHED'
}

function checkLength(sql: string): void {
  const bytes = Buffer.byteLength(sql)
  if (bytes <= longestStatement) return
  throw new FeatureStoreError(
    'FS_NOT_SUPPORTED',
    `A statement for Redshift would have ${Math.ceil(bytes / 1024)} KB. Its Data API takes 100 KB.`,
    {hint: 'Ask for fewer features at once, or shorten the query of the source.'},
  )
}

function valueOf(field: Field): string | number | boolean | null {
  if (field.isNull === true) return null
  const {longValue} = field
  if (longValue === undefined) return field.stringValue ?? field.doubleValue ?? field.booleanValue ?? null
  if (Number.isSafeInteger(longValue)) return longValue
  throw new Error(`an integer was rounded on its way: ${longValue}`)
}
