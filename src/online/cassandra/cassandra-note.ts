import type {types} from 'cassandra-driver'
import {FeatureStoreError} from '../../errors.js'
import type {SharedNote} from '../shared-note.js'
import type {CassandraConnection, Statement} from './cassandra-connection.js'
import {isAboutStatement} from './driver-errors.js'
import {millisOf, selectTime} from './store-clock.js'
import {quoted} from './table-names.js'

/** A table with a row for each note. `table-catalog.ts` makes it. */
export const noteTableName = 'feature_store_notes'
export const noteColumns = 'name text PRIMARY KEY, text text'

/** A project's name holds no slash. */
export function loadNoteName(project: string, table: string): string {
  return `loads/${project}/${table}`
}

/** A text that is replaced by a lightweight transaction: a few round trips, a few times in a run. */
export class CassandraNote implements SharedNote {
  readonly #connection: CassandraConnection
  readonly #place: string
  readonly #name: string

  constructor(connection: CassandraConnection, name: string) {
    this.#connection = connection
    this.#name = name
    this.#place = `${quoted(connection.settings.keyspace)}.${noteTableName}`
  }

  async read(signal?: AbortSignal): Promise<{readonly text: string | undefined; readonly nowMillis: number}> {
    const [note, time] = await Promise.all([
      this.#run({query: `SELECT text FROM ${this.#place} WHERE name = ?`, params: [this.#name]}, signal),
      this.#run({query: selectTime, params: []}, signal),
    ])
    return {
      text: (note.rows[0]?.['text'] as string | undefined) ?? undefined,
      nowMillis: millisOf(time),
    }
  }

  async replace(expected: string | undefined, text: string, signal?: AbortSignal): Promise<boolean> {
    const {rows} = await this.#run(
      expected === undefined
        ? {
            query: `INSERT INTO ${this.#place} (name, text) VALUES (?, ?) IF NOT EXISTS`,
            params: [this.#name, text],
          }
        : {
            query: `UPDATE ${this.#place} SET text = ? WHERE name = ? IF text = ?`,
            params: [text, this.#name, expected],
          },
      signal,
    )
    return rows[0]?.['[applied]'] === true
  }

  async #run(statement: Statement, signal: AbortSignal | undefined): Promise<types.ResultSet> {
    try {
      return await this.#connection.run(statement, signal)
    } catch (error) {
      if (!isAboutStatement(error)) throw error
      const {product, keyspace} = this.#connection.settings
      throw new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `${product}, keyspace ${keyspace}, table ${noteTableName}: ${error.message.replace(/\.?$/, '.')}`,
        {hint: 'Run `fs apply`, which makes what is missing.', cause: error},
      )
    }
  }
}
