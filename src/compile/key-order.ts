import type {Value} from '../definitions/value-type.js'
import type {KeyColumn} from './query.js'
import {keyName} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** Whether the key of a row comes after another one, in the order of `ORDER BY k0, k1, …`. */
export function isAfter(keys: readonly KeyColumn[], after: readonly Value[], values: SqlValues): string {
  return keys
    .map((_, index) =>
      [
        ...keys
          .slice(0, index)
          .map((key, at) => `${keyName(at)} = ${keyValue(key, after[at] as Value, values)}`),
        `${keyName(index)} > ${keyValue(keys[index] as KeyColumn, after[index] as Value, values)}`,
      ].join(' AND '),
    )
    .join(' OR ')
}

/** Whether a row has one of these keys. */
export function isOneOf(
  keys: readonly KeyColumn[],
  wanted: readonly (readonly Value[])[],
  values: SqlValues,
): string {
  if (wanted.length === 0) return 'false'
  const tuples = wanted.map(
    (parts) => `(${keys.map((key, index) => keyValue(key, parts[index] as Value, values)).join(', ')})`,
  )
  return `(${keys.map((_, index) => keyName(index)).join(', ')}) IN (VALUES ${tuples.join(', ')})`
}

/** A value of a key. Text goes as bytes: it may hold what a statement can't. */
function keyValue({valueType}: KeyColumn, value: Value, values: SqlValues): string {
  switch (valueType) {
    case 'bool':
      return value === true ? 'true' : 'false'
    case 'int32':
    case 'int64':
      return values.integer(BigInt(value as number | bigint))
    case 'timestamp':
      return `make_timestamp(${values.integer(value as bigint)})`
    case 'date':
      return `CAST('${value as string}' AS DATE)`
    case 'string':
      return `decode(from_hex('${Buffer.from(value as string).toString('hex')}'))`
    case 'bytes':
      return `from_hex('${Buffer.from(value as Uint8Array).toString('hex')}')`
    default:
      return valueType satisfies never
  }
}
