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
 * the numbers that JSON lacks, as text. A list in CSV is JSON text.
 */
export function selectTexts(
  columns: readonly NativeColumn[],
  relation: string,
  format: 'csv' | 'json',
): string {
  return select(columns, relation, (column, nativeType) => {
    const text = textOf(column, nativeType, format)
    return format === 'csv' && isList(nativeType)
      ? `CASE WHEN ${column} IS NOT NULL THEN to_json(${text})::VARCHAR END`
      : text
  })
}

function textOf(value: string, nativeType: string, format: 'csv' | 'json', depth = 0): string {
  if (isList(nativeType)) {
    const element = `e${depth}`
    const text = textOf(element, nativeType.slice(0, -2), 'json', depth + 1)
    return text === element ? value : `list_transform(${value}, lambda ${element}: ${text})`
  }
  if (nativeType.startsWith('TIMESTAMP')) return isoText(value, nativeType)
  if (nativeType === 'BLOB') return `to_base64(${value})`
  if (format === 'csv') return value
  if (nativeType.startsWith('DECIMAL(') || nativeType === 'HUGEINT' || nativeType === 'UBIGINT')
    return `${value}::VARCHAR`
  if (nativeType === 'DOUBLE' || nativeType === 'FLOAT') {
    return `CASE WHEN isfinite(${value}) THEN to_json(${value}) WHEN isnan(${value}) THEN '"NaN"'::JSON WHEN ${value} > 0 THEN '"Infinity"'::JSON WHEN ${value} < 0 THEN '"-Infinity"'::JSON END`
  }
  return value
}

function isList(nativeType: string): boolean {
  return nativeType.endsWith('[]')
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
