/** Rows of the warehouse that have come home, as a source of DuckDB: it casts and checks them as it does those of files. */
import {duckDb} from '../../compile/dialects/duckdb.js'
import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import {keyTravel} from '../../compile/dialects/redshift-keys.js'
import {microseconds, travelOf, type Travel} from '../../compile/dialects/redshift-types.js'
import type {TypedColumn} from '../../compile/query.js'
import {featureName, keyName, type ReadableRows, type ReadableSource} from '../../compile/source-rows.js'
import {nativeTypeOf} from '../../compile/dialects/duckdb-types.js'
import {FeatureStoreError} from '../../errors.js'

interface SentOptions {
  /** Before the names of the columns on their way. */
  readonly prefix?: string
  /** All by default. */
  readonly features?: readonly TypedColumn[]
  readonly hasCreated?: boolean
}

/** The columns of chosen rows (`k0…`, `t`, `c`, `f0…`) as UNLOAD writes them; `alias` names the rows. */
export function sentColumns(
  {rows, source}: ReadableRows,
  {alias, prefix = '', features = rows.features, hasCreated = true}: SentOptions & {readonly alias: string},
): readonly string[] {
  const column = (name: string): string => `${alias}.${name}`
  const as = (sent: string, name: string): string => `${sent} AS "${prefix}${name}"`
  return [
    ...rows.keys.map(({valueType}, index) =>
      as(keyTravel(valueType).sent(column(keyName(index))), keyName(index)),
    ),
    as(microseconds(column('t')), 't'),
    ...(hasCreated ? [as(microseconds(column('c')), 'c')] : []),
    ...features.map((feature) => {
      const name = featureName(rows.features.indexOf(feature))
      return as(featureTravel({rows, source}, feature).sent(column(name)), name)
    }),
  ]
}

/** Those columns in DuckDB, each under the name and with a type that a source of the view would have. */
export function homeSource(
  {rows, source}: ReadableRows,
  files: string,
  {
    prefix = '',
    features = rows.features,
    hasCreated = true,
    more = [],
  }: SentOptions & {
    readonly more?: readonly string[]
  } = {},
): ReadableSource {
  const at = (name: string): string => quoteName(`${prefix}${name}`)
  const {timestampField, createdTimestampColumn} = rows.source.source
  const columns: {name: string; nativeType: string; expression: string; isSent?: boolean}[] = [
    ...rows.keys.map(({name, valueType}, index) => ({
      name,
      nativeType: nativeTypeOf(valueType),
      expression: keyTravel(valueType).received(at(keyName(index))),
    })),
    {name: timestampField, nativeType: 'TIMESTAMP', expression: `make_timestamp(${at('t')}::BIGINT)`},
    ...(createdTimestampColumn === undefined || !hasCreated
      ? []
      : [
          {
            name: createdTimestampColumn,
            nativeType: 'TIMESTAMP',
            expression: `make_timestamp(${at('c')}::BIGINT)`,
          },
        ]),
    ...rows.features.map((feature) => {
      const travel = featureTravel({rows, source}, feature)
      return {
        name: feature.name,
        nativeType: travel.native,
        expression: travel.received(at(featureName(rows.features.indexOf(feature)))),
        // Those that the frame does not show are known by type alone.
        isSent: features.includes(feature),
      }
    }),
  ]
  // A column may be a key and a feature.
  const distinct = columns.filter(
    ({name}, index) =>
      columns.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) === index,
  )
  const sent = distinct.filter(({isSent = true}) => isSent)
  const selected = sent.map(({name, expression}) => `${expression} AS ${quoteName(name)}`)
  return {
    dialect: duckDb,
    relation: `(SELECT ${[...more, ...selected].join(', ')} FROM ${files})`,
    columns: distinct.map(({name, nativeType}) => ({name, nativeType})),
  }
}

/** Parquet files of this machine as a relation, in order. */
export function parquetFiles(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoteText).join(', ')}])`
}

/** What UNLOAD would have written of columns with these types, without rows. */
export function emptyRelation(columns: ReadableSource['columns']): string {
  const nulls = columns.map(
    ({name, nativeType}) => `NULL::${columnTravel(name, nativeType).native} AS ${quoteName(name)}`,
  )
  return `(SELECT ${nulls.join(', ')} WHERE false)`
}

/** How a column of a source leaves the warehouse that no view declares. Throws FS_NOT_SUPPORTED. */
export function columnTravel(name: string, native: string): Travel {
  return travelOf(native, undefined) ?? notReadable(name, native)
}

function featureTravel({rows, source}: ReadableRows, {name, valueType}: TypedColumn): Travel {
  const native = source.columns.find((one) => one.name.toLowerCase() === name.toLowerCase())?.nativeType ?? ''
  return travelOf(native, valueType) ?? notReadable(`${rows.view}.${name}`, native)
}

function notReadable(name: string, native: string): never {
  throw new FeatureStoreError(
    'FS_NOT_SUPPORTED',
    `Column \`${name}\` is ${native} in Redshift, whose values can't be had.`,
    {hint: 'Cast it in a source with `query`.'},
  )
}
