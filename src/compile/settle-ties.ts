import type {Relation} from './relations.js'
import {settlingOrder, type ReadableRows} from './source-rows.js'

/**
 * Relations that leave one row of each group of `candidates` (rows with the same `by` columns); `chosen` names the last.
 * Nearly every group has one row: only the others, those of `tied`, are ranked, and only for them `ranked` (a relation with
 * all features) is read. Where the engine can't put all values in order, rows that it can't tell apart are all left.
 */
export function settleTies(options: {
  readonly prefix: string
  readonly candidates: string
  readonly ranked: (tied: string) => string
  readonly by: readonly string[]
  readonly columns: readonly string[]
  readonly readable: ReadableRows
}): {
  readonly relations: readonly Relation[]
  readonly chosen: string
  /** The groups that had several rows. */
  readonly tied: string
} {
  const {prefix, candidates, ranked, by, columns, readable} = options
  const {dialect} = readable.source
  const tied = `"${prefix}.tied"`
  const chosen = `"${prefix}.chosen"`
  const group = by.join(', ')
  return {
    relations: [
      {
        name: tied,
        kept: 'table',
        sql: () => `SELECT ${group} FROM ${candidates} AS grouped GROUP BY ${group} HAVING count(*) > 1`,
      },
      {
        name: chosen,
        kept: 'no',
        sql: () => {
          const order = settlingOrder(readable)
          const place = order.isTotal ? 'row_number()' : 'rank()'
          return `SELECT ${columns.join(', ')} FROM (
    SELECT several.*, ${place} OVER (PARTITION BY ${group} ORDER BY ${order.sql}) AS place
    FROM (SELECT one.* FROM ${dialect.semiJoin(ranked(tied), tied, by)}) AS several
  ) AS ranked WHERE place = 1
  UNION ALL
  SELECT ${columns.map((column) => `one.${column}`).join(', ')} FROM ${dialect.antiJoin(candidates, tied, by)}`
        },
      },
    ],
    chosen,
    tied,
  }
}
