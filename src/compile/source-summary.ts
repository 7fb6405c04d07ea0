import type {SourceSummaryQuery} from './query.js'
import {
  instantValue,
  isIncomplete,
  keyName,
  selectedRows,
  typedRows,
  type ReadableRows,
} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** One row: rows, incomplete_rows, approximate_keys, newest_event, newest_created (microseconds), created_at_count. */
export function compileSourceSummary(
  query: SourceSummaryQuery,
  readable: ReadableRows,
  values: SqlValues,
): string {
  const keys = query.rows.keys.map((_, index) => keyName(index))
  const incomplete = isIncomplete(keys.length)
  const createdAt =
    query.countCreatedAt === undefined
      ? '0::BIGINT'
      : `count(*) FILTER (c = ${instantValue(query.countCreatedAt, values)})`
  return `SELECT count(*) FILTER (selected) AS rows,
  count(*) FILTER (selected AND (${incomplete})) AS incomplete_rows,
  approx_count_distinct(CASE WHEN selected AND NOT (${incomplete}) THEN hash(${keys.join(', ')}) END) AS approximate_keys,
  epoch_us(max(t)) AS newest_event,
  epoch_us(max(c)) AS newest_created,
  ${createdAt} AS created_at_count
FROM (SELECT *, coalesce(${selectedRows(query, values)}, false) AS selected FROM ${typedRows(readable, {features: [], unfitTime: 'is null'})})`
}
