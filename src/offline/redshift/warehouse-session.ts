import type {ReadableSource} from '../../compile/source-rows.js'
import type {Answer, DataApi} from './data-api.js'
import {nativeTypeOf} from './native-type.js'

/**
 * A session of the warehouse for one piece of work. Its statements run one after the other and see its temporary tables;
 * a transaction shows them all one state of the tables that they read.
 */
export class WarehouseSession {
  readonly #api: DataApi
  #session: string | undefined
  #signal: AbortSignal | undefined

  constructor(api: DataApi, signal?: AbortSignal) {
    this.#api = api
    this.#signal = signal
  }

  async run(sql: string): Promise<string> {
    const {id, session} = await this.#api.run(sql, {session: this.#session, signal: this.#signal})
    this.#session = session
    return id
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
    try {
      return await work()
    } finally {
      this.#signal = undefined
      await this.run('ROLLBACK').catch(() => undefined)
    }
  }
}
