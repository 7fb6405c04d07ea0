import type {Instant} from '../definitions/instant.js'
import type {Dialect} from './dialect.js'
import {entityTable, entityTime} from './entity-table.js'

/** What is known of the entity rows once they are in a table: how much of a source it takes to answer them. */
export interface AskedRows {
  readonly count: number
  /** Of their event times; undefined where there is none. */
  readonly times: {readonly first: Instant; readonly last: Instant} | undefined
  /** Of the keys asked about, each as its `columnsOfKey`: those that few entity rows share. */
  readonly seldomShared: ReadonlySet<string>
}

/** Columns of `entityTable` that views are joined by, as a list. */
export const columnsOfKey = (columns: readonly string[]): string => columns.join(', ')

/**
 * Up to so many entity rows of one key, and so many on average that a row of the source meets, a join of them all costs
 * less than a sort of both sides; the average is right where a source has more rows of what is asked about more often, and
 * where it is wrong, the most bound what the join costs. Measured of 10 M rows and 1 M entity rows, three on average: three
 * quarters of the time and less than half of the memory.
 */
const seldom = {most: 32, average: 4}

/** A query whose row `askedRowsOf` understands. */
export function askedRowsQuery(dialect: Dialect, keys: readonly (readonly string[])[]): string {
  const first = dialect.microseconds(`min(${entityTime})`)
  const last = dialect.microseconds(`max(${entityTime})`)
  const shares = keys.map(
    (columns) =>
      `(SELECT max(n) <= ${seldom.most} AND sum(n * n) <= ${seldom.average} * sum(n) FROM (
    SELECT count(*) AS n FROM ${entityTable}
    WHERE ${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')} GROUP BY ${columnsOfKey(columns)}
  ) AS shared)`,
  )
  return `SELECT ${['count(*)', first, last, ...shares].join(', ')} FROM ${entityTable}`
}

export function askedRowsOf(
  [count, first, last, ...shares]: readonly unknown[],
  keys: readonly (readonly string[])[],
): AskedRows {
  const hasTimes = typeof first === 'bigint' && typeof last === 'bigint'
  return {
    count: Number(count),
    times: hasTimes ? {first, last} : undefined,
    seldomShared: new Set(keys.filter((_, index) => shares[index] === true).map(columnsOfKey)),
  }
}
