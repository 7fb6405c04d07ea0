/**
 * The table of a view: a row of native columns for each entity, which other programs may read.
 *
 *   PRIMARY KEY ((<join keys>), row_version), newest version first
 *   event_timestamp, created_timestamp   bigint, microseconds since 1970
 *   null_elements                        places of null elements by name of a list: CQL's lists can't hold them
 *   <features>                           a column each, of its own type
 *
 * The guard is the order of rows within a partition. A write adds a row under a version that nothing else ever has
 * (`row-version.ts`) and removes those of older versions, in one mutation of one partition; a read takes the first row.
 * So nothing is read before it is written, no lightweight transaction is needed, and cells of two writes never mix,
 * which under one write timestamp they do in a table with one row for each key. It costs a range tombstone with each
 * row and 31 bytes. Other readers add `LIMIT 1`, or `PER PARTITION LIMIT 1` for many entities.
 *
 * Where the store takes old write timestamps, both carry the row's event time: then a row that comes late is dead when
 * it arrives, and there is never more than one. Not so in a table whose rows may come back with older times.
 */
import type {OnlineTable} from '../online-store.js'
import {cqlTypeOf} from './cql-values.js'
import {ownColumns} from './own-columns.js'
import {quoted} from './table-names.js'

/** Columns beside the key, by name: those of the store, and one for each feature. */
export function columnsOf({features}: OnlineTable): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(ownColumns).filter(([name]) => name !== 'row_version'),
    ...features.map(({name, valueType}): [string, string] => [name, cqlTypeOf(valueType)]),
  ])
}

export function createTable(place: string, table: OnlineTable, options: readonly string[]): string {
  const keys = table.joinKeys.map(({name}) => quoted(name)).join(', ')
  const columns = [
    ...table.joinKeys.map(({name, valueType}) => `${quoted(name)} ${cqlTypeOf(valueType)}`),
    `row_version ${ownColumns['row_version'] ?? ''}`,
    ...[...columnsOf(table)].map(([name, type]) => `${quoted(name)} ${type}`),
  ]
  const clauses = ['CLUSTERING ORDER BY (row_version DESC)', ...options].join(' AND ')
  return `CREATE TABLE IF NOT EXISTS ${place} (${columns.join(', ')}, PRIMARY KEY ((${keys}), row_version)) WITH ${clauses}`
}

export function addColumns(
  place: string,
  columns: readonly (readonly [name: string, type: string])[],
): string {
  return `ALTER TABLE ${place} ADD (${columns.map(([name, type]) => `${quoted(name)} ${type}`).join(', ')})`
}

/** The statements of one table, each with the order of its parameters. */
export interface TableStatements {
  /** (keys…, version, event, created, null elements, features…[, write timestamp], seconds to live) */
  readonly insert: string
  /** ([write timestamp, ]keys…, version): removes what is older than a version. */
  readonly removeOlder: string
  /**
   * The parameters of `insert`, then those of `removeOlder`: both as one. Prepared as one statement, it costs client and
   * server less than a batch that is put together for each row.
   */
  readonly replace: string
}

export function statementsOf(place: string, table: OnlineTable, hasTimestamps: boolean): TableStatements {
  const names = [
    ...table.joinKeys.map(({name}) => name),
    'row_version',
    'event_timestamp',
    'created_timestamp',
    'null_elements',
    ...table.features.map(({name}) => name),
  ]
  const holes = names.map(() => '?').join(', ')
  const timestamp = hasTimestamps ? 'TIMESTAMP ? AND ' : ''
  const insert = `INSERT INTO ${place} (${names.map(quoted).join(', ')}) VALUES (${holes}) USING ${timestamp}TTL ?`
  const removeOlder = `DELETE FROM ${place}${hasTimestamps ? ' USING TIMESTAMP ?' : ''} WHERE ${keysAre(table)} AND row_version < ?`
  return {insert, removeOlder, replace: `BEGIN UNLOGGED BATCH ${insert}; ${removeOlder}; APPLY BATCH`}
}

/** (keys…): the newest row of an entity, with the columns that features are read from. */
export function selectNewest(place: string, table: OnlineTable, columns: readonly string[]): string {
  return `SELECT ${columns.map(quoted).join(', ')} FROM ${place} WHERE ${keysAre(table)} LIMIT 1`
}

function keysAre({joinKeys}: OnlineTable): string {
  return joinKeys.map(({name}) => `${quoted(name)} = ?`).join(' AND ')
}
