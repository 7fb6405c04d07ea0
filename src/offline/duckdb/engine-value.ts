import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import {parseDay} from '../../definitions/day.js'
import {typeParts, type Value, type ValueType} from '../../definitions/value-type.js'

/** A value of the SDK as the client takes it for a column of the value type. */
export function toEngineValue(given: unknown, type: ValueType): DuckDBValue {
  if (given === null) return null
  const value = given as Value
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'decimal':
      return toDecimal(value as string, parts.precision, parts.scale)
    case 'list':
      return new DuckDBListValue(
        (value as readonly (Value | null)[]).map((element) => toEngineValue(element, parts.element)),
      )
    case 'scalar':
      switch (parts.name) {
        case 'timestamp':
          return new DuckDBTimestampValue(value as bigint)
        case 'date':
          return new DuckDBDateValue(parseDay(value as string) as number)
        case 'bytes':
          return new DuckDBBlobValue(value as Uint8Array)
        default:
          return value as DuckDBValue
      }
    default:
      return parts satisfies never
  }
}

function toDecimal(text: string, precision: number, scale: number): DuckDBDecimalValue {
  const [whole = '0', fraction = ''] = text.split('.')
  return new DuckDBDecimalValue(
    BigInt(`${whole}${fraction.padEnd(scale, '0').slice(0, scale)}`),
    precision,
    scale,
  )
}
