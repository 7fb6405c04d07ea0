import {FeatureStoreError} from '../errors.js'
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {Dialect, ExactCast, TimeBounds} from './dialect.js'
import type {FeatureRows, RowSelection, TypedColumn, ViewJoin} from './query.js'
import {raise} from './raise.js'
import type {SqlValues} from './sql-values.js'

/** A source as the engine can read it: a parenthesised relation, and its columns after the field mapping. */
export interface ReadableSource {
  /** Of the engine that reads it. */
  readonly dialect: Dialect
  readonly relation: string
  readonly columns: readonly {readonly name: string; readonly nativeType: string}[]
}

export interface ReadableRows {
  readonly rows: FeatureRows
  readonly source: ReadableSource
}

/** A view's part of the query with its source in reach. */
export interface ReadableJoin {
  readonly join: ViewJoin
  readonly source: ReadableSource
}

/** Names of columns while rows are compared: no user's name can clash with them. */
export const keyName = (index: number): string => `k${index}`
export const featureName = (index: number): string => `f${index}`
export const misfitName = (index: number): string => `m${index}`

/**
 * A relation of rows with typed columns: keys `k0…`, event time `t`, created time `c`, features `f0…`, and for features
 * whose cast may fail the text that didn't fit, `m0…`. A key that doesn't fit its type is null.
 */
export function typedRows(
  {rows, source}: ReadableRows,
  {
    features = rows.features,
    more = [],
    unfitTime = 'fails',
    between,
  }: {
    readonly features?: readonly TypedColumn[]
    readonly more?: readonly string[]
    /** What becomes of an event time that is no time. */
    readonly unfitTime?: 'fails' | 'is null'
    /** No row of another event time is wanted, nor one without: it may be left out, or it may come. */
    readonly between?: (TimeBounds & {readonly values: SqlValues}) | undefined
  } = {},
): string {
  const {dialect} = source
  const native = nativeTypesOf({rows, source})
  const keys = rows.keys.map(
    ({name, valueType}, index) =>
      `${dialect.key(dialect.quoteName(name), native(name), valueType).value} AS ${keyName(index)}`,
  )
  const {timestampField, createdTimestampColumn} = rows.source.source
  const condition =
    between === undefined
      ? undefined
      : dialect.timeBetween(
          dialect.quoteName(timestampField),
          native(timestampField),
          between,
          between.values,
        )
  const where = condition === undefined ? '' : ` WHERE ${condition}`
  const selected = features.flatMap((feature) => {
    const index = rows.features.findIndex((one) => one.name === feature.name)
    const {value, misfit} = featureCast({rows, source}, feature)
    const column = `${value} AS ${featureName(index)}`
    if (misfit === undefined) return [column]
    return [
      column,
      `CASE WHEN ${misfit} THEN ${dialect.quoteName(feature.name)}::VARCHAR END AS ${misfitName(index)}`,
    ]
  })
  const instant = (name: string, unfit: 'fails' | 'is null'): string =>
    instantColumn(dialect, {name, native: native(name), view: rows.view, unfit})
  const created =
    createdTimestampColumn === undefined ? dialect.nullInstant : instant(createdTimestampColumn, 'fails')
  return (
    `(SELECT ${[...keys, `${instant(timestampField, unfitTime)} AS t`, `${created} AS c`, ...selected, ...more].join(', ')}` +
    ` FROM ${source.relation} AS source${where})`
  )
}

/** The engine's type of the column with the event times. */
export function eventTimeTypeOf(readable: ReadableRows): string {
  return nativeTypesOf(readable)(readable.rows.source.source.timestampField)
}

/** Features whose values may not fit their declared type. */
export function checkedFeatures(readable: ReadableRows): ReadonlySet<number> {
  return new Set(
    readable.rows.features.flatMap((feature, index) =>
      featureCast(readable, feature).misfit === undefined ? [] : [index],
    ),
  )
}

/**
 * Which rows a run reads: those in an interval, and those that arrived late. A row without an event time is in every
 * interval that reaches back to the beginning, so that it is told and not lost.
 */
export function selectedRows(
  {intervals, arrived, knownBy}: RowSelection,
  dialect: Dialect,
  values: SqlValues,
): string {
  const at = (instant: Instant): string => dialect.instant(instant, values)
  const within = ({start, end}: Interval): string =>
    start === null ? `t IS NULL OR t <= ${at(end)}` : `t > ${at(start)} AND t <= ${at(end)}`
  const parts = intervals.map(within)
  if (arrived !== undefined) {
    parts.push(
      `c ${arrived.orEqual ? '>=' : '>'} ${at(arrived.after)} AND (t IS NULL OR ${within(arrived.within)})`,
    )
  }
  if (parts.length === 0) return 'false'
  const selected = parts.map((part) => `(${part})`).join(' OR ')
  return knownBy === undefined ? selected : `(${selected}) AND c <= ${at(knownBy)}`
}

/** What lies around all that a run reads; undefined where a row without an event time may be among it. */
export function boundsOf({intervals, arrived}: RowSelection): TimeBounds | undefined {
  if (arrived !== undefined || intervals.length === 0) return undefined
  const starts = intervals.flatMap(({start}) => start ?? [])
  if (starts.length < intervals.length) return undefined
  const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b)
  const later = (a: Instant, b: Instant): Instant => (a > b ? a : b)
  return {first: starts.reduce(earlier), last: intervals.map(({end}) => end).reduce(later)}
}

/** A row that can't be written: a null in its key (also for what doesn't fit the type), or no event time. */
export function isIncomplete(keys: number): string {
  return [...Array.from({length: keys}, (_, index) => keyName(index)), 't']
    .map((column) => `${column} IS NULL`)
    .join(' OR ')
}

export interface SettlingOrder {
  readonly sql: string
  /** False when rows that are not alike may be left equal: by a value that the engine can't put in order, and those after it. */
  readonly isTotal: boolean
}

/**
 * The order that settles rows of one key and event time: newest created first, then the largest values, feature by
 * feature; null is smallest everywhere. What didn't fit comes last, so that even then the choice is total.
 */
export function settlingOrder(readable: ReadableRows): SettlingOrder {
  const {dialect} = readable.source
  const native = nativeTypesOf(readable)
  const features = readable.rows.features.map(({name, valueType}, index) =>
    dialect.comparable(featureName(index), native(name), valueType),
  )
  const misfits = [...checkedFeatures(readable)].map(misfitName)
  const known = features.slice(
    0,
    [...features, undefined].indexOf(undefined),
  ) as readonly (readonly string[])[]
  const isTotal = known.length === features.length
  const sql = ['c', ...known.flat(), ...(isTotal ? misfits : [])]
    .map((expression) => dialect.descending(expression))
    .join(', ')
  return {sql, isTotal}
}

function featureCast(readable: ReadableRows, {name, valueType}: TypedColumn): ExactCast {
  const {dialect} = readable.source
  return dialect.feature(dialect.quoteName(name), nativeTypesOf(readable)(name), valueType)
}

function instantColumn(
  dialect: Dialect,
  {
    name,
    native,
    view,
    unfit,
  }: {
    readonly name: string
    readonly native: string
    readonly view: string
    readonly unfit: 'fails' | 'is null'
  },
): string {
  const column = dialect.quoteName(name)
  const {value, misfit} = dialect.instantOf(column, native)
  if (misfit === undefined) return value
  if (unfit === 'is null') return `CASE WHEN NOT ${misfit} THEN ${value} END`
  const facts = [dialect.quoteText(view), dialect.quoteText(name), `''`, `${column}::VARCHAR`]
  return `CASE WHEN ${misfit} THEN ${raise('FS_VALUE_OUT_OF_RANGE', facts)} ELSE ${value} END`
}

function nativeTypesOf({rows, source}: ReadableRows): (name: string) => string {
  const types = new Map(source.columns.map((column) => [column.name.toLowerCase(), column.nativeType]))
  return (name) => {
    const native = types.get(name.toLowerCase())
    if (native !== undefined) return native
    throw new FeatureStoreError(
      'FS_SOURCE_MISMATCH',
      `Source \`${rows.source.source.name}\` of view \`${rows.view}\` has no column \`${name}\` (columns: ${source.columns
        .map((column) => column.name)
        .join(', ')}).`,
      {hint: 'Correct the definition, or map the column with field_mapping, then apply again.'},
    )
  }
}
