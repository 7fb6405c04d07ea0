/** How columns of any type of the engine leave it: as values in JavaScript, as text for people, as Arrow. */
import {castExactly} from '../../compile/dialects/duckdb-casts.js'
import {quoteName} from '../../compile/dialects/duckdb-names.js'
import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import type {ReadableSource} from '../../compile/source-rows.js'
import type {ValueType} from '../../definitions/value-type.js'

export type NativeColumn = ReadableSource['columns'][number]

/** The value type that holds every value of a column; what no value type holds is told as text. */
export function frameTypeOf(nativeType: string): ValueType {
  return valueTypeOf(nativeType) ?? 'string'
}

/** Selects columns in the form that `ColumnBuilder` reads: the value type's own, decimals as text. */
export function selectValues(columns: readonly NativeColumn[], relation: string): string {
  return select(columns, relation, (column, nativeType) => {
    const type = valueTypeOf(nativeType)
    // The wide integers have no vector of a fixed width that JavaScript knows.
    if (type === undefined || nativeType === 'HUGEINT' || nativeType === 'UBIGINT')
      return `${column}::VARCHAR`
    const {value} = castExactly(column, nativeType, type)
    if (type.startsWith('decimal(')) return `${value}::VARCHAR`
    return type.startsWith('list<decimal(') ? `${value}::VARCHAR[]` : value
  })
}

/**
 * Selects columns as they are written to text: times in ISO 8601 with a Z, bytes in base64; in JSON also decimals, and
 * the numbers that JSON lacks, as text.
 */
export function selectTexts(
  columns: readonly NativeColumn[],
  relation: string,
  format: 'csv' | 'json',
): string {
  return select(columns, relation, (column, nativeType) => {
    if (nativeType.startsWith('TIMESTAMP')) return isoText(column, nativeType)
    if (nativeType === 'BLOB') return `to_base64(${column})`
    if (format === 'csv') return column
    if (nativeType.startsWith('DECIMAL(') || nativeType === 'HUGEINT' || nativeType === 'UBIGINT')
      return `${column}::VARCHAR`
    if (nativeType === 'DOUBLE' || nativeType === 'FLOAT') {
      return `CASE WHEN isfinite(${column}) THEN to_json(${column}) WHEN isnan(${column}) THEN '"NaN"'::JSON WHEN ${column} > 0 THEN '"Infinity"'::JSON WHEN ${column} < 0 THEN '"-Infinity"'::JSON END`
    }
    return column
  })
}

function select(
  columns: readonly NativeColumn[],
  relation: string,
  expression: (column: string, nativeType: string) => string,
): string {
  const selected = columns.map(({name, nativeType}) => {
    const column = quoteName(name)
    return `${expression(column, nativeType)} AS ${column}`
  })
  return `SELECT ${selected.join(', ')} FROM (${relation}\n) AS frame`
}

function isoText(column: string, nativeType: string): string {
  const instant = castExactly(column, nativeType, 'timestamp').value
  const whole = `strftime(${instant}, '%Y-%m-%dT%H:%M:%S')`
  const fraction = `CASE WHEN epoch_us(${instant}) % 1000000 = 0 THEN '' ELSE strftime(${instant}, '.%f') END`
  return `CASE WHEN isfinite(${instant}) THEN ${whole} || ${fraction} || 'Z' ELSE ${column}::VARCHAR END`
}
