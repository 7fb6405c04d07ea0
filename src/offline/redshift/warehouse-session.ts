import type {ReadableSource} from '../../compile/source-rows.js'
import type {Answer, DataApi} from './data-api.js'
import type {RedshiftSettings} from './redshift-settings.js'
import {nativeTypeOf} from './native-type.js'

/**
 * A session of the warehouse for one piece of work. Its statements run one after the other and see its temporary tables;
 * a transaction shows them all one state of the tables that they read.
 */
export class WarehouseSession implements AsyncDisposable {
  readonly #api: DataApi
  #session: string | undefined
  #isUsable = true
  #isInTransaction = false
  #signal: AbortSignal | undefined

  constructor(api: DataApi, signal?: AbortSignal) {
    this.#api = api
    this.#signal = signal
    this.#session = api.acquire()
  }

  get settings(): RedshiftSettings {
    return this.#api.settings
  }

  async run(sql: string): Promise<string> {
    this.#signal?.throwIfAborted()
    const id = await this.#start(sql)
    await this.#api.finish(id, sql, this.#signal)
    return id
  }

  async #start(sql: string): Promise<string> {
    try {
      const {id, session} = await this.#api.start(sql, this.#session, this.#signal)
      this.#session = session
      return id
    } catch (error) {
      // Without a cause it was not sent.
      if (this.#session === undefined || (error as Error).cause === undefined) throw error
      if (this.#isInTransaction || !isRefused(error)) {
        this.#isUsable = false
        throw error
      }
      // It ended, or is busy with what somebody could not stop. Nothing was begun in it: a new one will do.
      this.#session = undefined
      return this.#start(sql)
    }
  }

  /** The whole answer; for small ones. Whole numbers must have been cast to text. */
  async rows(sql: string): Promise<Answer['rows']> {
    return (await this.#api.answer(await this.run(sql))).rows
  }

  /** Names and types of what a statement would give; it reads no row. */
  async describe(select: string): Promise<ReadableSource['columns']> {
    const {columns} = await this.#api.answer(
      await this.run(`SELECT * FROM (${select}\n) AS described LIMIT 0`),
    )
    return columns.map((column) => ({name: column.name ?? '', nativeType: nativeTypeOf(column)}))
  }

  /** Work within one transaction, which leaves nothing behind. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('BEGIN')
    this.#isInTransaction = true
    try {
      return await work()
    } finally {
      // Also when it was stopped.
      this.#signal = undefined
      await this.run('ROLLBACK').catch(() => (this.#isUsable = false))
      this.#isInTransaction = false
    }
  }

  /** Others may go on in the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#session !== undefined && this.#isUsable) this.#api.release(this.#session)
    this.#session = undefined
    return Promise.resolve()
  }
}

/** Whether Redshift refused what it was asked, as it does for a session that is not there. */
function isRefused(error: unknown): boolean {
  const {cause} = error as Error
  return cause instanceof Error && /^(ValidationException|ResourceNotFoundException)$/.test(cause.name)
}
