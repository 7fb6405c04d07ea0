import type {Dialect} from './dialect.js'
import type {KeyType} from '../definitions/value-type.js'
import type {KeyColumn, PointInTimeQuery} from './query.js'
import {keyName, typedRows, type ReadableJoin} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** Every distinct (keys, event time) of the joined views' rows in an interval, ordered by time, then keys. */
export function compileIntervalRows(
  query: PointInTimeQuery & {readonly entityRows: {readonly kind: 'interval'}},
  joins: readonly ReadableJoin[],
  dialect: Dialect,
  values: SqlValues,
): string {
  const columns = intervalColumns(query)
  // Without its type, a null in the first two parts is text to a union of more.
  const types = keyTypes(query)
  const {start, end} = query.entityRows.interval
  const parts = joins.map(({join, source}) => {
    const selected = columns.map((column) => {
      const index = join.entityColumns.indexOf(column)
      const key = index === -1 ? dialect.nullKey(types.get(column) as KeyType) : keyName(index)
      return `${key} AS ${dialect.quoteName(column)}`
    })
    const at = (instant: bigint): string => dialect.instant(instant, values)
    const known = query.asKnownAt === undefined ? '' : ` AND c <= ${at(query.asKnownAt)}`
    const after = start === null ? '' : ` AND t > ${at(start)}`
    const present = join.entityColumns.map((_, index) => `${keyName(index)} IS NOT NULL`).join(' AND ')
    return `SELECT ${selected.join(', ')}, t AS ${dialect.quoteName(query.timestampColumn)} FROM ${typedRows({rows: join.rows, source}, {features: [], between: {first: start ?? undefined, last: end, values}})} AS typed
    WHERE ${present} AND t <= ${at(end)}${after}${known}`
  })
  const order = [query.timestampColumn, ...columns].map((name) => dialect.ascending(dialect.quoteName(name)))
  return `(SELECT * FROM (${parts.join('\n  UNION\n  ')}) AS every_row\n  ORDER BY ${order.join(', ')})`
}

/** By column of the entity rows. */
export function keyTypes({joins}: PointInTimeQuery): ReadonlyMap<string, KeyType> {
  return new Map(
    joins.flatMap(({rows, entityColumns}) =>
      entityColumns.map((column, index) => [column, (rows.keys[index] as KeyColumn).valueType] as const),
    ),
  )
}

/** Key columns of interval entity rows: those of the views, in order, each once. */
export function intervalColumns(query: PointInTimeQuery): readonly string[] {
  return [...new Set(query.joins.flatMap((join) => join.entityColumns))]
}
