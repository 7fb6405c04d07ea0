import type {DuckDBConnection, DuckDBDataChunk} from '@duckdb/node-api'
import type {AttachedDatabases} from './attached-databases.js'
import type {NativeColumn} from './frame-columns.js'
import {queryError} from './query-error.js'
import type {S3Files} from './s3/s3-files.js'

/**
 * A connection for one piece of work, with the database files that it reads. Statements that fail throw what a user can
 * mend; one that is stopped by a signal throws the signal's reason.
 */
export class DuckDbSession implements AsyncDisposable {
  readonly #connection: DuckDBConnection
  readonly #databases: AttachedDatabases
  /** Objects of S3, for who reads sources. */
  readonly s3: S3Files
  readonly #acquired: string[] = []
  readonly #found = new Map<string, Promise<unknown>>()
  readonly #closers: (() => void)[] = []
  #closed = false

  constructor(connection: DuckDBConnection, databases: AttachedDatabases, s3: S3Files) {
    this.#connection = connection
    this.#databases = databases
    this.s3 = s3
  }

  get connection(): DuckDBConnection {
    return this.#connection
  }

  /** Attaches a database file until the session ends; gives the name of its catalog. */
  async attach(path: string): Promise<string> {
    const alias = await this.#databases.acquire(path)
    this.#acquired.push(path)
    return alias
  }

  /** What was found out once holds for the whole session, so that all that it reads is of one moment. */
  once<T>(name: string, find: () => Promise<T>): Promise<T> {
    const known = this.#found.get(name) as Promise<T> | undefined
    if (known !== undefined) return known
    const found = find()
    this.#found.set(name, found)
    return found
  }

  /** What is to be closed with the session. */
  onClose(close: () => void): void {
    this.#closers.push(close)
  }

  /** All rows of a small answer. */
  async rows(
    sql: string,
    parameters: readonly bigint[] = [],
    signal?: AbortSignal,
  ): Promise<readonly (readonly unknown[])[]> {
    return this.#watched(signal, async () =>
      (await this.#connection.runAndReadAll(sql, [...parameters])).getRows(),
    )
  }

  async run(sql: string, parameters: readonly bigint[] = [], signal?: AbortSignal): Promise<number> {
    return this.#watched(signal, async () => (await this.#connection.run(sql, [...parameters])).rowsChanged)
  }

  /** Names and types of what a statement would give; it does not run. Finds what is wrong with it before it runs. */
  async describe(sql: string, parameters: readonly bigint[]): Promise<readonly NativeColumn[]> {
    const rows = await this.rows(`DESCRIBE ${sql}`, parameters)
    return rows.map(([name, nativeType]) => ({name: name as string, nativeType: nativeType as string}))
  }

  /** The answer as the engine hands it over, some thousand rows at a time; a chunk holds while it is looked at. */
  async *stream(
    sql: string,
    parameters: readonly bigint[],
    signal?: AbortSignal,
  ): AsyncGenerator<DuckDBDataChunk, void, undefined> {
    const result = await this.#watched(signal, () => this.#connection.stream(sql, [...parameters]))
    const fetch = (): Promise<DuckDBDataChunk | null> => {
      const chunk = this.#watched(signal, () => result.fetchChunk())
      // It may fail before anybody waits for it.
      chunk.catch(() => undefined)
      return chunk
    }
    let next = fetch()
    try {
      for (;;) {
        const chunk = await next
        if (chunk === null || chunk.rowCount === 0) return
        // The engine works on the next while this one is looked at.
        next = fetch()
        yield chunk
      }
    } finally {
      await next.catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const close of this.#closers) close()
    this.#connection.interrupt()
    this.#connection.closeSync()
    for (const path of this.#acquired.splice(0)) await this.#databases.release(path)
  }

  async #watched<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    const stop = (): void => this.#connection.interrupt()
    signal?.addEventListener('abort', stop)
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      throw queryError(error)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }
}
