/** A registry in PostgreSQL, for teams: a row for each project, replaced whole by compare-and-set. */
import {randomUUID} from 'node:crypto'
import {FeatureStoreError} from '../../errors.js'
import {formatSnapshot, parseSnapshot} from '../document-codec.js'
import {shownLocation} from '../location.js'
import type {Registry, RegistryDocument, RegistryDriver, RegistrySnapshot} from '../registry.js'
import {emptyRevision, emptySnapshot, registryConflict} from '../snapshots.js'
import type {Instant} from '../../definitions/instant.js'
import {millisOf, type Examination} from '../../examination.js'
import {findingsOf} from './postgres-findings.js'
import {isMissingTable, reasonOf} from './postgres-errors.js'
import {PostgresConnection} from './postgres-connection.js'

const table = 'feature_store_registry'

/** As many as may be committed by others while one waits for its answer. */
const revisionsKept = 100

/** `json` keeps the text as it is and can be queried; `jsonb` would refuse a text with U+0000. */
const createTable = `CREATE TABLE IF NOT EXISTS ${table} (
  project text PRIMARY KEY,
  revision text NOT NULL,
  recent_revisions text[] NOT NULL,
  document json NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now()
)`

export const postgresRegistryDriver: RegistryDriver = {
  open({location, project}) {
    return Promise.resolve(new PostgresRegistry(new PostgresConnection(location), location, project))
  },
}

class PostgresRegistry implements Registry {
  readonly #connection: PostgresConnection
  readonly #place: string
  readonly #project: string
  #hasTable = false

  constructor(connection: PostgresConnection, location: string, project: string) {
    this.#connection = connection
    this.#place = shownLocation(location)
    this.#project = project
  }

  async read(): Promise<RegistrySnapshot> {
    try {
      return await this.#connection.attempt(() => this.#read())
    } catch (error) {
      throw this.#told(error, 'FS_REGISTRY_UNREADABLE', 'read')
    }
  }

  /**
   * A commit whose answer was lost may have been carried out: its revision, which is nobody else's, tells, also when
   * others went on from there.
   */
  async commit(document: RegistryDocument, expectedRevision: string): Promise<RegistrySnapshot> {
    if (document.project !== this.#project) {
      throw new Error(`a document of project ${document.project} in the registry of ${this.#project}`)
    }
    const next = {revision: randomUUID(), document}
    try {
      return await this.#connection.attempt(async () => {
        if (await this.#replace(next, expectedRevision)) return next
        if (await this.#wasCommitted(next.revision)) return next
        throw registryConflict(this.#place)
      })
    } catch (error) {
      throw this.#told(error, 'FS_REGISTRY_UNWRITABLE', 'written')
    }
  }

  async *examine(clock: () => Instant): Examination {
    const asked = millisOf(clock())
    const {rows} = await this.#connection.query(
      `SELECT version() AS version, current_user AS user, current_schema() AS schema,
         extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
         (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS is_encrypted,
         pg_is_in_recovery() AS is_standby,
         CASE WHEN to_regclass('${table}') IS NOT NULL
           THEN has_table_privilege('${table}', 'SELECT') AND has_table_privilege('${table}', 'INSERT')
             AND has_table_privilege('${table}', 'UPDATE') AND has_table_privilege('${table}', 'DELETE')
           ELSE coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) END AS may_write`,
      [],
    )
    yield* findingsOf(rows[0] ?? {}, {
      asked,
      answered: millisOf(clock()),
      isOnLoopback: this.#connection.isOnLoopback,
    })
  }

  async destroy(): Promise<void> {
    try {
      await this.#connection.attempt(async () => {
        if ((await this.#read()).revision === emptyRevision) return
        await this.#connection.query(`DELETE FROM ${table} WHERE project = $1`, [this.#project])
      })
    } catch (error) {
      throw this.#told(error, 'FS_REGISTRY_UNWRITABLE', 'written')
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]()
  }

  async #read(): Promise<RegistrySnapshot> {
    const query = `SELECT document::text AS document FROM ${table} WHERE project = $1`
    const {rows} = await this.#connection.query(query, [this.#project]).catch((error: unknown) => {
      // Nothing was ever committed; reading creates nothing.
      if (isMissingTable(error)) return {rows: []}
      throw error
    })
    const text = rows[0]?.['document']
    if (text === undefined) return emptySnapshot(this.#project)
    return parseSnapshot(text as string, this.#place, this.#project)
  }

  /** Whether the row was at the expected revision, and is at the next one now. */
  async #replace(next: RegistrySnapshot, expectedRevision: string): Promise<boolean> {
    await this.#haveTable()
    const values = [this.#project, next.revision, formatSnapshot(next)]
    const {rowCount} =
      expectedRevision === emptyRevision
        ? await this.#connection.query(
            `INSERT INTO ${table} (project, revision, recent_revisions, document) VALUES ($1, $2, ARRAY[$2], $3)
             ON CONFLICT (project) DO NOTHING`,
            values,
          )
        : await this.#connection.query(
            `UPDATE ${table} SET revision = $2, document = $3, committed_at = now(), recent_revisions =
               recent_revisions[greatest(1, cardinality(recent_revisions) + 2 - ${revisionsKept}):] || $2::text
             WHERE project = $1 AND revision = $4`,
            [...values, expectedRevision],
          )
    return rowCount === 1
  }

  async #wasCommitted(revision: string): Promise<boolean> {
    const {rowCount} = await this.#connection.query(
      `SELECT 1 FROM ${table} WHERE project = $1 AND $2 = ANY(recent_revisions)`,
      [this.#project, revision],
    )
    return rowCount === 1
  }

  /** Who may not create tables may still use one that is there. */
  async #haveTable(): Promise<void> {
    if (this.#hasTable) return
    const {rows} = await this.#connection.query(`SELECT to_regclass('${table}') IS NOT NULL AS is_there`, [])
    if (rows[0]?.['is_there'] !== true) await this.#createTable()
    this.#hasTable = true
  }

  /** Of several at once PostgreSQL lets one fail, although it was asked for a table that may be there. */
  async #createTable(): Promise<void> {
    try {
      await this.#connection.query(createTable, [])
    } catch (error) {
      const {rows} = await this.#connection.query(
        `SELECT to_regclass('${table}') IS NOT NULL AS is_there`,
        [],
      )
      if (rows[0]?.['is_there'] !== true) throw error
    }
  }

  #told(error: unknown, code: 'FS_REGISTRY_UNREADABLE' | 'FS_REGISTRY_UNWRITABLE', what: string): unknown {
    if (error instanceof FeatureStoreError) return error
    const {reason, hint} = reasonOf(error)
    return new FeatureStoreError(code, `The registry ${this.#place} can't be ${what}: ${reason}.`, {
      hint,
      cause: error,
    })
  }
}
