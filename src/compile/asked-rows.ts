import type {Instant} from '../definitions/instant.js'
import type {Dialect} from './dialect.js'
import {entityTable, entityTime} from './entity-table.js'

/** What is known of the entity rows once they are in a table: how much of a source it takes to answer them. */
export interface AskedRows {
  readonly count: number
  /** Of their event times; undefined where there is none. */
  readonly times: {readonly first: Instant; readonly last: Instant} | undefined
}

/** A query whose row `askedRowsOf` understands. */
export function askedRowsQuery(dialect: Dialect): string {
  const first = dialect.microseconds(`min(${entityTime})`)
  const last = dialect.microseconds(`max(${entityTime})`)
  return `SELECT count(*), ${first}, ${last} FROM ${entityTable}`
}

export function askedRowsOf([count, first, last]: readonly unknown[]): AskedRows {
  const hasTimes = typeof first === 'bigint' && typeof last === 'bigint'
  return {count: Number(count), times: hasTimes ? {first, last} : undefined}
}
