/** Join keys in Amazon Redshift: compared as typed values, as everywhere. */
import type {KeyType, Value} from '../../definitions/value-type.js'
import {FeatureStoreError} from '../../errors.js'
import type {ExactCast} from '../dialect.js'
import type {SqlValues} from '../sql-values.js'
import {timestampLiteral} from './redshift-instants.js'
import {inUtc, microseconds, textOf, timestampOf, counted} from './redshift-types.js'

/**
 * Ends every text that is compared: VARCHARs that differ in blanks at their ends count as equal.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
 */
const end = 'chr(1)'

export function ended(text: string): string {
  return `${text} || ${end}`
}

/** A column as a key. Keys of type bool are 0 and 1, those of bytes are digits. */
export function castKey(column: string, native: string, type: KeyType): ExactCast {
  const name = native.replace(/\(.*\)$/, '')
  const isInteger = ['int2', 'int4', 'int8'].includes(name)
  const scaleless = /^numeric\((\d+),0\)$/.exec(native)
  switch (type) {
    case 'string':
      if (['varchar', 'text', 'bpchar'].includes(name)) return {value: ended(`${column}::varchar`)}
      if (isInteger) return {value: ended(`${column}::varchar`)}
      break
    case 'int64':
      if (isInteger) return {value: `${column}::bigint`}
      if (scaleless !== null && Number(scaleless[1]) <= 18) return {value: `${column}::bigint`}
      break
    case 'int32':
      if (name === 'int2' || name === 'int4') return {value: `${column}::int`}
      if (name === 'int8')
        return {value: `CASE WHEN ${column} BETWEEN -2147483648 AND 2147483647 THEN ${column}::int END`}
      break
    case 'bool':
      if (name === 'bool') return {value: `CASE WHEN ${column} THEN 1 WHEN NOT ${column} THEN 0 END`}
      break
    case 'date':
      if (name === 'date') return {value: column}
      break
    case 'timestamp':
      if (name === 'timestamp') return {value: column}
      if (name === 'timestamptz') return {value: inUtc(column)}
      if (name === 'date') return {value: `${column}::timestamp`}
      break
    case 'bytes':
      if (name === 'varbyte') return {value: `lower(to_hex(${column}))`}
      break
    default:
      return type satisfies never
  }
  throw new FeatureStoreError(
    'FS_NOT_SUPPORTED',
    `Column ${column} is ${native} in Redshift and can't be compared as a join key of type ${type}.`,
    {hint: `Cast it in a source with \`query\`, or declare the key's type as the column's.`},
  )
}

/** A constant that compares with `castKey`. */
export function keyConstant(value: Value, type: KeyType, values: SqlValues): string {
  switch (type) {
    case 'string':
      return ended(textOf(value as string))
    case 'int32':
    case 'int64':
      return values.integer(BigInt(value as number | bigint))
    case 'bool':
      return value === true ? '1' : '0'
    case 'date':
      return `date '${value as string}'`
    case 'timestamp':
      return timestampLiteral(value as bigint)
    case 'bytes':
      return `'${Buffer.from(value as Uint8Array).toString('hex')}'`
    default:
      return type satisfies never
  }
}

/** Of the type that `castKey` gives. */
export function nullKey(type: KeyType): string {
  return type === 'timestamp' ? 'NULL::timestamp' : `NULL::${keyUpload(type).column}`
}

/** A key on its way to DuckDB, in Parquet, and what it is made into there. */
export interface KeyTravel {
  readonly sent: (key: string) => string
  readonly received: (key: string) => string
}

export function keyTravel(type: KeyType): KeyTravel {
  const same = (key: string): string => key
  switch (type) {
    case 'string':
      return {sent: (key) => `left(${key}, len(${key}) - 1)`, received: (key) => `${key}::VARCHAR`}
    case 'int64':
      return {sent: same, received: (key) => `${key}::BIGINT`}
    case 'int32':
      return {sent: same, received: (key) => `${key}::INTEGER`}
    case 'bool':
      return {sent: same, received: (key) => `(${key} = 1)`}
    case 'date':
      return {sent: same, received: (key) => `${key}::DATE`}
    case 'timestamp':
      return {sent: microseconds, received: (key) => `make_timestamp(${key}::BIGINT)`}
    case 'bytes':
      return {sent: same, received: (key) => `from_hex(${key})`}
    default:
      return type satisfies never
  }
}

/** A key of DuckDB on its way to Redshift: what Parquet holds, the column of COPY, and the key that is made of it. */
export function keyUpload(type: KeyType): {
  readonly sent: (key: string) => string
  readonly column: string
  readonly received: (column: string) => string
} {
  const same = (key: string): string => key
  switch (type) {
    case 'string':
      return {sent: same, column: 'varchar(65535)', received: ended}
    case 'int64':
      return {sent: same, column: 'bigint', received: same}
    case 'int32':
      return {sent: same, column: 'int', received: same}
    case 'bool':
      return {sent: (key) => `${key}::INTEGER`, column: 'int', received: same}
    case 'date':
      return {sent: same, column: 'date', received: same}
    case 'timestamp':
      return {
        sent: (key) => `epoch_us(${key})`,
        column: 'bigint',
        received: (column) => timestampOf(counted(column)),
      }
    case 'bytes':
      return {sent: (key) => `lower(hex(${key}))`, column: 'varchar(65535)', received: same}
    default:
      return type satisfies never
  }
}
