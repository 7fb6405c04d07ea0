import type {SourceSummaryQuery} from './query.js'
import {isIncomplete, keyName, selectedRows, typedRows, type ReadableRows} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** One row: rows, incomplete_rows, approximate_keys, newest_event, newest_created (microseconds), created_at_count. */
export function compileSourceSummary(
  query: SourceSummaryQuery,
  readable: ReadableRows,
  values: SqlValues,
): string {
  const {dialect} = readable.source
  const keys = query.rows.keys.map(({valueType}, index) => ({column: keyName(index), type: valueType}))
  const incomplete = isIncomplete(keys.length)
  const count = (condition: string): string => `count(CASE WHEN ${condition} THEN 1 END)`
  const createdAt =
    query.countCreatedAt === undefined ? '0' : count(`c = ${dialect.instant(query.countCreatedAt, values)}`)
  return `SELECT ${count('selected')} AS rows,
  ${count(`selected AND (${incomplete})`)} AS incomplete_rows,
  ${dialect.approximateCount(keys, `selected AND NOT (${incomplete})`)} AS approximate_keys,
  ${dialect.microseconds('max(t)')} AS newest_event,
  ${dialect.microseconds('max(c)')} AS newest_created,
  ${createdAt} AS created_at_count
FROM (SELECT typed.*, coalesce(${selectedRows(query, dialect, values)}, false) AS selected FROM ${typedRows(readable, {features: [], unfitTime: 'is null'})} AS typed) AS summarized`
}
