import type {Relation} from './relations.js'
import {settlingOrder, type ReadableRows} from './source-rows.js'

/** `a.k0 = b.k0 AND …` for columns of two relations. */
export function equalColumns(left: string, right: string, columns: readonly string[]): string {
  return columns.map((column) => `${left}.${column} = ${right}.${column}`).join(' AND ')
}

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
  const tied = `"${prefix}:tied"`
  const chosen = `"${prefix}:chosen"`
  const list = columns.join(', ')
  const group = by.join(', ')
  return {
    relations: [
      {
        name: tied,
        kept: true,
        sql: () => `SELECT ${group} FROM ${candidates} GROUP BY ${group} HAVING count(*) > 1`,
      },
      {
        name: chosen,
        kept: false,
        sql: () => `SELECT ${list} FROM ${candidates} AS one ANTI JOIN ${tied} AS tied ON ${equalColumns('one', 'tied', by)}
  UNION ALL
  SELECT ${list} FROM (
    SELECT one.*, row_number() OVER (PARTITION BY ${group} ORDER BY ${settlingOrder(readable)}) AS place
    FROM ${ranked()} AS one SEMI JOIN ${tied} AS tied ON ${equalColumns('one', 'tied', by)}
  ) WHERE place = 1`,
      },
    ],
    chosen,
  }
}
