/**
 * The meaning of a point-in-time join and of the newest row, said in loops: no SQL and nothing clever, so that a reader
 * can hold it against the words. Stores are compared with it.
 */
import type {LatestPerEntityQuery, TypedColumn} from '../../src/compile/query.js'
import type {Instant} from '../../src/definitions/instant.js'
import type {Interval} from '../../src/definitions/interval.js'
import type {Value} from '../../src/definitions/value-type.js'
import {compareValues} from './compare-values.js'

export type Row = readonly (Value | null)[]

/** A row of a source. `created` is null where the source has no created time as well. */
export interface OracleRow {
  readonly key: Row
  readonly event: Instant | null
  readonly created: Instant | null
  /** In the order of the schema. */
  readonly values: Row
}

export interface OracleJoin {
  readonly features: readonly TypedColumn[]
  readonly rows: readonly OracleRow[]
  readonly ttl?: bigint | undefined
  readonly knowledgeTime: boolean
}

/** A row of the frame to be: its time, and its key in each join. */
export interface OracleEntity {
  readonly time: Instant
  readonly keys: readonly Row[]
}

/** For each entity row, in order, and each join: the values of the row that was newest then; all null without one. */
export function pointInTime(
  entities: readonly OracleEntity[],
  joins: readonly OracleJoin[],
  {asKnownAt}: {readonly asKnownAt?: Instant | undefined} = {},
): readonly (readonly Row[])[] {
  return entities.map(({time, keys}) =>
    joins.map(({features, rows, ttl, knowledgeTime}, index) => {
      let chosen: OracleRow | undefined
      for (const row of rows) {
        if (!sameKey(row.key, keys[index] as Row)) continue
        if (row.event === null || row.event > time) continue
        if (ttl !== undefined && row.event < time - ttl) continue
        if (knowledgeTime && !(row.created !== null && row.created <= time)) continue
        if (asKnownAt !== undefined && !(row.created !== null && row.created <= asKnownAt)) continue
        if (chosen === undefined || isNewer(row, chosen, features)) chosen = row
      }
      return chosen?.values ?? features.map(() => null)
    }),
  )
}

/**
 * The newest row of each key among the selected rows, in the order in which keys first appear; with `everyKey` then the
 * newest of the other keys.
 */
export function latestPerEntity(
  rows: readonly OracleRow[],
  features: readonly TypedColumn[],
  selection: Pick<LatestPerEntityQuery, 'intervals' | 'arrived' | 'everyKey'>,
): readonly OracleRow[] {
  const selected = newestOf(
    rows.filter((row) => isSelected(row, selection)),
    features,
  )
  if (selection.everyKey !== true) return selected
  const others = rows.filter(({key}) => !selected.some((one) => sameKey(one.key, key)))
  return [...selected, ...newestOf(others, features)]
}

function newestOf(rows: readonly OracleRow[], features: readonly TypedColumn[]): readonly OracleRow[] {
  const newest: OracleRow[] = []
  for (const row of rows) {
    if (row.key.includes(null)) continue
    const index = newest.findIndex((other) => sameKey(other.key, row.key))
    if (index === -1) newest.push(row)
    else if (isNewer(row, newest[index] as OracleRow, features)) newest[index] = row
  }
  return newest
}

/** Whether a run reads the row: its event time lies in an interval, or it arrived late. */
export function isSelected(
  {event, created}: OracleRow,
  {intervals, arrived}: Pick<LatestPerEntityQuery, 'intervals' | 'arrived'>,
): boolean {
  if (intervals.some((interval) => isWithin(event, interval))) return true
  if (arrived === undefined || created === null || !isWithin(event, arrived.within)) return false
  return created > arrived.after || (arrived.orEqual && created === arrived.after)
}

function isWithin(instant: Instant | null, {start, end}: Interval): boolean {
  return instant !== null && (start === null || instant > start) && instant <= end
}

/** A null is no key: it equals nothing, not even a null. */
function sameKey(a: Row, b: Row): boolean {
  return a.every((part, index) => {
    const other = b[index]
    if (part instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(part, other) === 0
    return part !== null && part === other
  })
}

/** The later event, then the later created time (null is earliest), then the larger values, feature by feature. */
function isNewer(a: OracleRow, b: OracleRow, features: readonly TypedColumn[]): boolean {
  const orders = [
    compareValues('timestamp', a.event, b.event),
    compareValues('timestamp', a.created, b.created),
    ...features.map(({valueType}, index) =>
      compareValues(valueType, a.values[index] as Value | null, b.values[index] as Value | null),
    ),
  ]
  return (orders.find((order) => order !== 0) ?? 0) > 0
}
