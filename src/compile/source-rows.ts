import {FeatureStoreError} from '../errors.js'
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import {castExactly, castToInstant} from './dialects/duckdb-casts.js'
import {quoteName, quoteText as text} from './dialects/duckdb-names.js'
import type {FeatureRows, RowSelection, TypedColumn, ViewJoin} from './query.js'
import type {SqlValues} from './sql-values.js'

/** A source as the engine can read it: a parenthesised relation, and its columns after the field mapping. */
export interface ReadableSource {
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

/** The entity rows as a relation whose text is written where it is needed. */
export interface EntityRelation {
  readonly columns: ReadableSource['columns']
  readonly write: (values: SqlValues) => string
}

/** The source in `typedRows`; a column of this name would be taken for the row. */
export const sourceAlias = '"fs:source"'

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
  }: {
    readonly features?: readonly TypedColumn[]
    readonly more?: readonly string[]
    /** What becomes of an event time that is no time. */
    readonly unfitTime?: 'fails' | 'is null'
  } = {},
): string {
  const native = nativeTypesOf({rows, source})
  const keys = rows.keys.map(
    ({name, valueType}, index) =>
      `${castExactly(quoteName(name), native(name), valueType).value} AS ${keyName(index)}`,
  )
  const {timestampField, createdTimestampColumn} = rows.source.source
  const selected = features.flatMap(({name, valueType}) => {
    const index = rows.features.findIndex((one) => one.name === name)
    const {value, misfit} = castExactly(quoteName(name), native(name), valueType)
    const column = `${value} AS ${featureName(index)}`
    if (misfit === undefined) return [column]
    return [column, `CASE WHEN ${misfit} THEN ${quoteName(name)}::VARCHAR END AS ${misfitName(index)}`]
  })
  const created =
    createdTimestampColumn === undefined
      ? 'NULL::TIMESTAMP'
      : instant(createdTimestampColumn, native(createdTimestampColumn), rows)
  return (
    `(SELECT ${[
      ...keys,
      `${instant(timestampField, native(timestampField), rows, unfitTime)} AS t`,
      `${created} AS c`,
      ...selected,
      ...more,
    ].join(', ')}` + ` FROM ${source.relation} AS ${sourceAlias})`
  )
}

/** Features whose values may not fit their declared type. */
export function checkedFeatures(readable: ReadableRows): ReadonlySet<number> {
  const native = nativeTypesOf(readable)
  return new Set(
    readable.rows.features.flatMap(({name, valueType}, index) =>
      castExactly(quoteName(name), native(name), valueType).misfit === undefined ? [] : [index],
    ),
  )
}

/**
 * Which rows a run reads: those in an interval, and those that arrived late. A row without an event time is in every
 * interval that reaches back to the beginning, so that it is told and not lost.
 */
export function selectedRows({intervals, arrived, knownBy}: RowSelection, values: SqlValues): string {
  const parts = intervals.map((interval) => within(interval, values))
  if (arrived !== undefined) {
    parts.push(
      `c ${arrived.orEqual ? '>=' : '>'} ${instantValue(arrived.after, values)} AND (t IS NULL OR ${within(arrived.within, values)})`,
    )
  }
  if (parts.length === 0) return 'false'
  const selected = parts.map((part) => `(${part})`).join(' OR ')
  return knownBy === undefined ? selected : `(${selected}) AND c <= ${instantValue(knownBy, values)}`
}

/** A row that can't be written: a null in its key (also for what doesn't fit the type), or no event time. */
export function isIncomplete(keys: number): string {
  return [...Array.from({length: keys}, (_, index) => keyName(index)), 't']
    .map((column) => `${column} IS NULL`)
    .join(' OR ')
}

/** `t` lies in (start, end]. */
function within({start, end}: Interval, values: SqlValues): string {
  const upper = `t <= ${instantValue(end, values)}`
  return start === null ? `t IS NULL OR ${upper}` : `t > ${instantValue(start, values)} AND ${upper}`
}

export function instantValue(instant: Instant, values: SqlValues): string {
  return `make_timestamp(${values.integer(instant)})`
}

/**
 * The order that settles rows of one key and event time: newest created first, then the largest values, feature by
 * feature; null is smallest everywhere. What didn't fit comes last, so that even then the choice is total.
 */
export function settlingOrder(readable: ReadableRows): string {
  const unfit = checkedFeatures(readable)
  return [
    'c DESC NULLS LAST',
    ...readable.rows.features.map(
      ({valueType}, index) => `${comparable(featureName(index), valueType)} DESC NULLS LAST`,
    ),
    ...[...unfit].map((index) => `${misfitName(index)} DESC NULLS LAST`),
  ].join(', ')
}

/** DuckDB takes a null inside a list for the largest: https://duckdb.org/docs/stable/sql/data_types/struct */
function comparable(column: string, valueType: string): string {
  if (!valueType.startsWith('list<')) return column
  return `list_transform(${column}, lambda e: {'is': e IS NOT NULL, 'value': e})`
}

function instant(
  name: string,
  native: string,
  rows: FeatureRows,
  unfit: 'fails' | 'is null' = 'fails',
): string {
  const {value, misfit} = castToInstant(quoteName(name), native)
  if (misfit === undefined) return value
  if (unfit === 'is null') return `CASE WHEN NOT ${misfit} THEN ${value} END`
  return `CASE WHEN ${misfit} THEN ${raise('FS_VALUE_OUT_OF_RANGE', [
    text(rows.view),
    text(name),
    `''`,
    `${quoteName(name)}::VARCHAR`,
  ])} ELSE ${value} END`
}

/** An expression that fails the statement with a code and facts, which `parseRaised` reads back. */
export function raise(code: string, facts: readonly string[]): string {
  return `error(concat_ws(chr(31), '', ${[text(code), ...facts].join(', ')}, ''))`
}

/** The code and facts of a failure that `raise` caused; `undefined` for any other. */
export function parseRaised(message: string): readonly string[] | undefined {
  const parts = message.split('\u001F')
  return parts.length < 3 ? undefined : parts.slice(1, -1)
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
