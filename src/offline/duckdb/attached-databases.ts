import type {DuckDBInstance} from '@duckdb/node-api'
import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'

/**
 * Database files that sources name, attached to read while somebody reads them and no longer: DuckDB locks an attached
 * file against every writer, https://duckdb.org/docs/stable/connect/concurrency
 */
export class AttachedDatabases {
  readonly #instance: DuckDBInstance
  readonly #attached = new Map<string, {readonly alias: string; users: number}>()
  #count = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(instance: DuckDBInstance) {
    this.#instance = instance
  }

  /** The name that the file goes by in statements until it is released as often as it was acquired. */
  acquire(path: string): Promise<string> {
    return this.#inTurn(async () => {
      const known = this.#attached.get(path)
      if (known !== undefined) {
        known.users += 1
        return known.alias
      }
      const alias = `file:${(this.#count += 1)}`
      await this.#run(`ATTACH ${quoteText(path)} AS ${quoteName(alias)} (TYPE duckdb, READ_ONLY)`)
      this.#attached.set(path, {alias, users: 1})
      return alias
    })
  }

  release(path: string): Promise<void> {
    return this.#inTurn(async () => {
      const known = this.#attached.get(path)
      if (known === undefined || (known.users -= 1) > 0) return
      this.#attached.delete(path)
      await this.#run(`DETACH ${quoteName(known.alias)}`)
    })
  }

  async #run(sql: string): Promise<void> {
    const connection = await this.#instance.connect()
    try {
      await connection.run(sql)
    } finally {
      connection.closeSync()
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
