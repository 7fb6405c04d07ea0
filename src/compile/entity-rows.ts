import type {Dialect} from './dialect.js'
import {quoteName, quoteText} from './dialects/duckdb-names.js'
import type {EntityKeys} from './entity-keys.js'
import {entityColumn, entityName, type EntityRelation} from './entity-relation.js'
import {entityRow, entityTime} from './entity-table.js'
import {raise} from './raise.js'
import type {SqlValues} from './sql-values.js'

/** The entity rows in DuckDB: their columns `e0…` under names that no user's clash with, the number of each row, its time and its keys. */
export function compileEntityRows({
  timestampColumn,
  entityRows,
  keys,
  values,
  dialect,
  limit,
}: {
  readonly timestampColumn: string
  readonly entityRows: EntityRelation
  readonly keys: EntityKeys
  readonly values: SqlValues
  /** One of DuckDB's. */
  readonly dialect: Dialect
  /** Only the first rows. */
  readonly limit?: number | undefined
}): string {
  const own = entityRows.columns.map(({name}, index) => `${quoteName(name)} AS ${entityName(index)}`)
  const cast = keys.all
    .filter(({expression, name}) => expression !== name)
    .map(({expression, name}) => `, ${expression} AS ${name}`)
    .join('')
  return `SELECT *, ${timeOf(timestampColumn, entityRows, dialect)} AS ${entityTime}${cast}
  FROM (SELECT row_number() OVER () AS ${entityRow}, ${own.join(', ')} FROM ${entityRows.write(values)} AS entity_rows${
    limit === undefined ? '' : ` LIMIT ${values.integer(BigInt(limit))}`
  })`
}

function timeOf(column: string, entityRows: EntityRelation, dialect: Dialect): string {
  const {name, nativeType} = entityColumn(entityRows, column)
  const {value, misfit} = dialect.instantOf(name, nativeType)
  const row = `${entityRow}::VARCHAR`
  const missing = `WHEN ${name} IS NULL THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, quoteText('')])}`
  const unfit =
    misfit === undefined
      ? ''
      : ` WHEN ${misfit} THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, `${name}::VARCHAR`])}`
  return `CASE ${missing}${unfit} ELSE ${value} END`
}
