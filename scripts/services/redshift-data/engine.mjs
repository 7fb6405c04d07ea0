import {readFileSync} from 'node:fs'
import pg from 'pg'
import {columnsOf} from './columns.mjs'
import {copy, parseCopy} from './copy.mjs'
import {createExternalSchema, parseExternalSchema} from './external-schema.mjs'
import {NotRedshift, translate} from './translate.mjs'
import {parseUnload, unload} from './unload.mjs'

const functions = readFileSync(new URL('functions.sql', import.meta.url), 'utf8')

/** Values stay as PostgreSQL prints them. */
const asText = {getTypeParser: () => (text) => text}

/**
 * The most that a result may have, by the older of the vendor's pages: whoever keeps within it is right by the newer, too.
 * https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
 */
const resultBytes = 100 * 1024 ** 2

/** What a connection of the Data API finds; a test's own has PostgreSQL's defaults. */
const manners = `SET search_path = public, redshift; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET standard_conforming_strings = off; SET escape_string_warning = off`

/** Connections to PostgreSQL that speak Redshift's SQL. A database's functions are made when it is first asked for. */
export class Engine {
  #url
  #s3
  #glueUrl
  #exchangeFolder
  #prepared = new Map()

  /**
   * @param {string} url Of a superuser of a PostgreSQL on this machine: it reads and writes files that both can reach.
   * @param {import('./s3-place.mjs').S3Place} s3
   * @param {string} glueUrl Where the catalog is.
   * @param {string} exchangeFolder Where PostgreSQL's user gets, and rows pass through.
   */
  constructor(url, s3, glueUrl, exchangeFolder) {
    this.#url = url
    this.#s3 = s3
    this.#glueUrl = glueUrl
    this.#exchangeFolder = exchangeFolder
  }

  /** Makes a database where it is missing. */
  async ensureDatabase(name) {
    const client = await this.#open(undefined)
    try {
      const {rows} = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
      if (rows.length === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
    } finally {
      await client.end()
    }
  }

  /** @param {string} database */
  async connect(database) {
    if (!this.#prepared.has(database)) this.#prepared.set(database, this.#prepare(database))
    await this.#prepared.get(database)
    const client = await this.#open(database)
    await client.query(manners)
    return client
  }

  async cancel(pid) {
    const client = await this.#open(undefined)
    try {
      await client.query('SELECT pg_cancel_backend($1)', [pid])
    } finally {
      await client.end()
    }
  }

  /**
   * Runs a statement: its rows where it has some, else how many it changed.
   *
   * @param {pg.Client} client
   * @param {string} sql
   * @param {ReadonlyMap<string, string>} parameters
   * @param {(duckDb: import('@duckdb/node-api').DuckDBConnection) => void} onDuckDb Tells what else is at work.
   * @returns {Promise<{columns?: import('./columns.mjs').Column[], rows?: (string | null)[][], changed: number}>}
   */
  async run(client, sql, parameters, onDuckDb) {
    const means = {client, s3: this.#s3, exchangeFolder: this.#exchangeFolder, onDuckDb}
    const unloading = parseUnload(sql)
    if (unloading !== undefined) {
      await unload(unloading, means)
      // How many rows it wrote the Data API is not known to tell.
      return {changed: -1}
    }
    const copying = parseCopy(sql)
    if (copying !== undefined) return {changed: await copy(copying, means)}
    const external = parseExternalSchema(sql)
    if (external !== undefined) {
      await createExternalSchema(external, {...means, glueUrl: this.#glueUrl})
      return {changed: 0}
    }
    const {text, parameters: names} = translate(sql)
    const values = names.map((name) => parameters.get(name))
    // One statement at a time, as the extended protocol has it.
    const {fields, rows, rowCount} = await client.query({
      ...{text, values, types: asText},
      ...{rowMode: 'array', queryMode: 'extended'},
    })
    if (fields.length === 0) return {changed: rowCount ?? 0}
    if (bytesOf(rows) > resultBytes)
      throw new Error('Query result is larger than the 100 MB that the Data API keeps')
    return {columns: columnsOf(fields, await this.#notNull(client, fields)), rows, changed: rows.length}
  }

  /** Which of the columns that are a table's own may not be null. */
  async #notNull(client, fields) {
    const tables = [...new Set(fields.map(({tableID}) => tableID))].filter((id) => id > 0)
    if (tables.length === 0) return () => false
    const {rows} = await client
      .query({
        text: 'SELECT attrelid, attnum FROM pg_attribute WHERE attnotnull AND attrelid = ANY($1::oid[])',
        values: [tables],
      })
      // In a transaction that has failed, nothing is to be had.
      .catch(() => ({rows: []}))
    const found = new Set(rows.map(({attrelid, attnum}) => `${attrelid}.${attnum}`))
    return (tableId, columnId) => found.has(`${tableId}.${columnId}`)
  }

  async #prepare(database) {
    const client = await this.#open(database)
    try {
      // Another stand-in may do the same in the same database.
      await client.query('SELECT pg_advisory_lock(5439)')
      await client.query(functions)
    } finally {
      await client.end()
    }
  }

  async #open(database) {
    const url = new URL(this.#url)
    if (database !== undefined) url.pathname = `/${encodeURIComponent(database)}`
    const client = new pg.Client({connectionString: url.href})
    // It is told by the query that waits.
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}

function bytesOf(rows) {
  let bytes = 0
  for (const row of rows) for (const value of row) bytes += value?.length ?? 0
  return bytes
}

/**
 * What DescribeStatement says of an error.
 *
 * @param {unknown} error
 */
export function engineMessage(error) {
  if (error instanceof pg.DatabaseError || error instanceof NotRedshift) return `ERROR: ${error.message}`
  return `ERROR: ${error instanceof Error ? error.message : String(error)}`
}
