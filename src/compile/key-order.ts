import type {Value} from '../definitions/value-type.js'
import type {Dialect} from './dialect.js'
import type {KeyColumn} from './query.js'
import {keyName} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** Whether the key of a row comes after another one, in the order of `ORDER BY k0, k1, …`. */
export function isAfter(
  keys: readonly KeyColumn[],
  after: readonly Value[],
  dialect: Dialect,
  values: SqlValues,
): string {
  const constant = (index: number): string =>
    dialect.keyValue(after[index] as Value, (keys[index] as KeyColumn).valueType, values)
  return keys
    .map((_, index) =>
      [
        ...keys.slice(0, index).map((_key, at) => `${keyName(at)} = ${constant(at)}`),
        `${keyName(index)} > ${constant(index)}`,
      ].join(' AND '),
    )
    .join(' OR ')
}

/** Whether a row has one of these keys. */
export function isOneOf(
  keys: readonly KeyColumn[],
  wanted: readonly (readonly Value[])[],
  dialect: Dialect,
  values: SqlValues,
): string {
  if (wanted.length === 0) return 'false'
  const tuples = wanted.map(
    (parts) =>
      `(${keys.map(({valueType}, index) => dialect.keyValue(parts[index] as Value, valueType, values)).join(', ')})`,
  )
  return `(${keys.map((_, index) => keyName(index)).join(', ')}) IN (VALUES ${tuples.join(', ')})`
}
