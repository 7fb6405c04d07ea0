import type {Relation} from './relations.js'
import {settlingOrder, type ReadableRows} from './source-rows.js'

/**
 * Relations that leave one row of each group of `candidates` (rows with the same `by` columns); `chosen` names the last.
 * Nearly every group has one row: only the others are ranked, and only for them `ranked` (a relation with all features)
 * is read.
 */
export function settleTies(options: {
  readonly prefix: string
  readonly candidates: string
  readonly ranked: () => string
  readonly by: readonly string[]
  readonly columns: readonly string[]
  readonly readable: ReadableRows
}): {readonly relations: readonly Relation[]; readonly chosen: string} {
  const {prefix, candidates, ranked, by, columns, readable} = options
  const {dialect} = readable.source
  const tied = `"${prefix}.tied"`
  const chosen = `"${prefix}.chosen"`
  const group = by.join(', ')
  return {
    relations: [
      {
        name: tied,
        kept: true,
        sql: () => `SELECT ${group} FROM ${candidates} AS grouped GROUP BY ${group} HAVING count(*) > 1`,
      },
      {
        name: chosen,
        kept: false,
        sql: () => {
          const partition = by.map((column) => `one.${column}`).join(', ')
          return `SELECT ${columns.join(', ')} FROM (
    SELECT one.*, row_number() OVER (PARTITION BY ${partition} ORDER BY ${settlingOrder(readable)}) AS place
    FROM ${dialect.semiJoin(ranked(), tied, by)}
  ) AS ranked WHERE place = 1
  UNION ALL
  SELECT ${columns.map((column) => `one.${column}`).join(', ')} FROM ${dialect.antiJoin(candidates, tied, by)}`
        },
      },
    ],
    chosen,
  }
}
