/**
 * DuckDB's form of "the newest row at or before": ASOF over keys and times alone. It breaks ties arbitrarily and takes
 * one inequality only, so it finds the time of the row and others find the row:
 * https://duckdb.org/docs/stable/guides/sql_features/asof_join
 */

/** Joins to `left` (its columns `leftKeys` and `leftTime`) the newest event time in `right` (`k0…`, `t`). */
export function asOfJoin(options: {
  readonly left: string
  readonly leftKeys: readonly string[]
  readonly leftTime: string
  readonly right: string
  readonly rightAlias: string
  readonly rightKeys: readonly string[]
  /** The column that must not be after `leftTime`. */
  readonly rightTime: string
}): string {
  const {left, leftKeys, leftTime, right, rightAlias, rightKeys, rightTime} = options
  const equal = rightKeys.map((key, index) => `${leftKeys[index] ?? ''} = ${rightAlias}.${key}`)
  return `${left}
  ASOF LEFT JOIN ${right} AS ${rightAlias} ON ${[...equal, `${leftTime} >= ${rightAlias}.${rightTime}`].join(' AND ')}`
}
