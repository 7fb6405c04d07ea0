import {setTimeout as sleep} from 'node:timers/promises'
import {FeatureStoreError} from '../../errors.js'
import type {OnlineTable} from '../online-store.js'
import type {CassandraConnection} from './cassandra-connection.js'
import {isAboutRights, isAboutStatement, statementFailure} from './driver-errors.js'
import {loadNoteName, noteColumns, noteTableName} from './cassandra-note.js'
import {ownColumns} from './own-columns.js'
import {addColumns, columnsOf, createTable} from './table-layout.js'
import {cqlTableName, quoted} from './table-names.js'

const catalogName = 'feature_store_tables'
const firstPollMillis = 50
const longestPollMillis = 2000
const longestSchemaChangeMillis = 120_000

interface CatalogEntry {
  readonly keyTypes: string
  readonly isDropping: boolean
}

/**
 * The tables of one project in a keyspace. A catalog, itself a table, names all that were made here, before they are
 * made and until they are dropped: nothing else is ever altered or dropped, and what a killed process began is ended by
 * the next one.
 */
export class TableCatalog {
  readonly #connection: CassandraConnection
  readonly #project: string
  readonly #place: string

  constructor(connection: CassandraConnection, project: string) {
    this.#connection = connection
    this.#project = project
    this.#place = this.#placeOf(catalogName)
  }

  /** The table's name with its keyspace, quoted. */
  placeOf(table: string): string {
    return this.#placeOf(cqlTableName(this.#project, table))
  }

  /** As CQL takes it in most places, for people to read. */
  nameOf(table: string): string {
    return `${this.#connection.settings.keyspace}.${cqlTableName(this.#project, table)}`
  }

  /** Creates tables, or extends them by columns of new features. Safe to run twice. Throws FS_STORE_UNAVAILABLE. */
  async prepare(tables: readonly OnlineTable[]): Promise<void> {
    try {
      await this.#prepareAll(tables)
    } catch (error) {
      if (!isAboutStatement(error)) throw error
      throw statementFailure(error, this.#connection.settings)
    }
  }

  async #prepareAll(tables: readonly OnlineTable[]): Promise<void> {
    const {keyspace, createWithReplicas} = this.#connection.settings
    if (createWithReplicas !== undefined) {
      await this.#connection.changeSchema(
        `CREATE KEYSPACE IF NOT EXISTS ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': ${createWithReplicas}}`,
      )
    }
    await this.#changeTable(
      catalogName,
      `CREATE TABLE IF NOT EXISTS ${this.#place} (project text, name text, key_types text, is_dropping boolean, PRIMARY KEY ((project), name))`,
    )
    await this.#changeTable(
      noteTableName,
      `CREATE TABLE IF NOT EXISTS ${this.#placeOf(noteTableName)} (${noteColumns})`,
    )
    const known = await this.#entries()
    const unfinished = [...known].filter(([, {isDropping}]) => isDropping).map(([name]) => name)
    for (const name of unfinished) {
      await this.#remove([name]).catch((error: unknown) => {
        const isInTheWay = tables.some((table) => table.name === name)
        // `drop` tells who may not.
        if (isInTheWay || !(error instanceof Error && isAboutRights(error.cause))) throw error
      })
    }
    for (const table of tables) await this.#prepareTable(table, known.get(table.name))
  }

  /** Safe for names that never were. */
  async drop(tables: readonly string[]): Promise<void> {
    const known = await this.#entries()
    const dropped = [...known].filter(([name, {isDropping}]) => isDropping || tables.includes(name))
    await this.#remove(dropped.map(([name]) => name))
  }

  /** Those that are there: one that somebody dropped by hand is not. */
  async list(): Promise<readonly string[]> {
    const known = await this.#entries()
    if (known.size === 0) return []
    const {rows} = await this.#connection.run({
      query: 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?',
      params: [this.#connection.settings.keyspace],
    })
    const there = new Set(rows.map((row) => row['table_name'] as string))
    return [...known]
      .flatMap(([name, {isDropping}]) =>
        !isDropping && there.has(cqlTableName(this.#project, name)) ? [name] : [],
      )
      .sort()
  }

  async #prepareTable(table: OnlineTable, known: CatalogEntry | undefined): Promise<void> {
    const keyTypes = JSON.stringify(table.joinKeys.map(({name, valueType}) => [name, valueType]))
    const reserved = [...table.joinKeys, ...table.features].find(({name}) => Object.hasOwn(ownColumns, name))
    if (reserved !== undefined) {
      throw new FeatureStoreError(
        'FS_NOT_SUPPORTED',
        `feature_view/${table.view} has a column \`${reserved.name}\`, which ${this.#connection.settings.product} tables have themselves.`,
        {hint: 'Rename it in the source, by a query or a field mapping.'},
      )
    }
    if (known !== undefined && !known.isDropping && known.keyTypes !== keyTypes) {
      throw new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `Online table ${table.name} of feature_view/${table.view} has keys ${known.keyTypes}, not ${keyTypes}.`,
        {hint: 'Run `fs teardown` and `fs apply`, or give the view another name.'},
      )
    }
    const name = cqlTableName(this.#project, table.name)
    const columns = await this.#columnsIn(name)
    if (columns.size > 0 && (known === undefined || known.isDropping))
      throw this.#notMade(name, 'was not made')
    await this.#note(table.name, keyTypes)
    if (columns.size === 0) {
      const {tableOptions} = this.#connection.settings.abilities
      await this.#changeTable(name, createTable(this.#placeOf(name), table, tableOptions))
      return
    }
    if (!isOfThisStore(columns, table))
      throw this.#notMade(name, 'has another primary key than the table that was made')
    await this.#checkNothingDropped(name, table)
    const wanted = [...columnsOf(table)]
    for (const [column, type] of wanted) {
      const found = columns.get(column)
      if (found === undefined || found === type) continue
      throw new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `Table ${name} holds \`${column}\` of feature_view/${table.view} as ${found}, not ${type}.`,
        {hint: 'Give the feature another name, or run `fs teardown` and `fs apply`.'},
      )
    }
    const missing = wanted.filter(([column]) => !columns.has(column))
    if (missing.length > 0) await this.#changeTable(name, addColumns(this.#placeOf(name), missing))
  }

  #notMade(table: string, reason: string): FeatureStoreError {
    const {keyspace} = this.#connection.settings
    return new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `Keyspace ${keyspace} has a table ${table} that ${reason} for project ${this.#project}, so it is left alone.`,
      {hint: 'Drop or rename that table, or use another keyspace.'},
    )
  }

  /**
   * Cassandra hides what is written to a column with times before that at which it was dropped, also when it was added
   * again; and rows carry the times of their events. No column is dropped here: somebody did it by hand.
   * https://cassandra.apache.org/doc/latest/cassandra/developing/cql/ddl.html#alter-table-statement
   */
  async #checkNothingDropped(name: string, {view, features}: OnlineTable): Promise<void> {
    const {keyspace, abilities} = this.#connection.settings
    if (!abilities.anyWriteTimestamp) return
    const {rows} = await this.#connection.run({
      query:
        'SELECT column_name FROM system_schema.dropped_columns WHERE keyspace_name = ? AND table_name = ?',
      params: [keyspace, name],
    })
    const dropped = new Set(rows.map((row) => row['column_name'] as string))
    const lost = features.find((feature) => dropped.has(feature.name))
    if (lost === undefined) return
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `Column ${lost.name} of table ${keyspace}.${name}, feature_view/${view}, was dropped by hand: Cassandra would hide what is written to it again.`,
      {
        hint: `Run \`DROP TABLE ${this.#placeOf(name)}\` in CQL: the next load makes the table anew and loads all of it.`,
      },
    )
  }

  /** By name of the table. None where there is no catalog: nothing was applied yet. */
  async #entries(): Promise<ReadonlyMap<string, CatalogEntry>> {
    if ((await this.#columnsIn(catalogName)).size === 0) return new Map()
    const {rows} = await this.#connection.run({
      query: `SELECT name, key_types, is_dropping FROM ${this.#place} WHERE project = ?`,
      params: [this.#project],
    })
    return new Map(
      rows.map((row): [string, CatalogEntry] => [
        row['name'] as string,
        {keyTypes: row['key_types'] as string, isDropping: row['is_dropping'] === true},
      ]),
    )
  }

  async #note(name: string, keyTypes: string): Promise<void> {
    await this.#connection.run({
      query: `INSERT INTO ${this.#place} (project, name, key_types, is_dropping) VALUES (?, ?, ?, false)`,
      params: [this.#project, name, keyTypes],
    })
  }

  async #remove(tables: readonly string[]): Promise<void> {
    for (const name of tables) {
      await this.#connection.run({
        query: `UPDATE ${this.#place} SET is_dropping = true WHERE project = ? AND name = ?`,
        params: [this.#project, name],
      })
      const table = cqlTableName(this.#project, name)
      const columns = await this.#columnsIn(table)
      // One that somebody made where ours was dropped by hand stays.
      if (columns.size === 0 || columns.has('row_version'))
        await this.#changeTable(table, `DROP TABLE IF EXISTS ${this.placeOf(name)}`)
      await this.#removeNote(loadNoteName(this.#project, name))
      await this.#connection.run({
        query: `DELETE FROM ${this.#place} WHERE project = ? AND name = ?`,
        params: [this.#project, name],
      })
    }
  }

  /** By a lightweight transaction, as it was written: their clock is not that of other writes. */
  async #removeNote(name: string): Promise<void> {
    if ((await this.#columnsIn(noteTableName)).size === 0) return
    await this.#connection.run({
      query: `DELETE FROM ${this.#placeOf(noteTableName)} WHERE name = ? IF EXISTS`,
      params: [name],
    })
  }

  /** Columns of a table, by name; empty where there is no such table. */
  async #columnsIn(table: string): Promise<ReadonlyMap<string, string>> {
    const {rows} = await this.#connection.run({
      query: 'SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
      params: [this.#connection.settings.keyspace, table],
    })
    return new Map(rows.map((row) => [row['column_name'] as string, row['type'] as string]))
  }

  /** Changes a table and waits until that is done everywhere. */
  async #changeTable(table: string, statement: string): Promise<void> {
    await this.#connection.changeSchema(statement)
    const {keyspace, abilities, product} = this.#connection.settings
    if (abilities.schemaStatusTable === undefined) return
    const query = `SELECT keyspace_name, table_name, status FROM ${abilities.schemaStatusTable} WHERE keyspace_name = ? AND table_name = ?`
    const isDrop = statement.startsWith('DROP')
    const deadline = performance.now() + longestSchemaChangeMillis
    for (let pause = firstPollMillis; ; pause = Math.min(pause * 1.5, longestPollMillis)) {
      const {rows} = await this.#connection.run({query, params: [keyspace, table]})
      const status = rows[0]?.['status'] as string | undefined
      if (isDrop ? status === undefined : status === 'ACTIVE') return
      if (performance.now() >= deadline) {
        throw new FeatureStoreError(
          'FS_STORE_UNAVAILABLE',
          `${product} has not changed table ${table} after ${longestSchemaChangeMillis / 1000} s: it is ${status ?? 'not there'}.`,
          {hint: 'Run the command again when the table is active.'},
        )
      }
      await sleep(pause)
    }
  }

  #placeOf(name: string): string {
    return `${quoted(this.#connection.settings.keyspace)}.${quoted(name)}`
  }
}

/** By its primary key: columns may be added to it. */
function isOfThisStore(columns: ReadonlyMap<string, string>, {joinKeys}: OnlineTable): boolean {
  return columns.has('row_version') && joinKeys.every(({name}) => columns.has(name))
}
