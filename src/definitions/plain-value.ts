import {formatInstant} from './instant.js'
import type {Value, ValueType} from './value-type.js'

/** A value as JSON holds it: times as text, bytes in base64, int64 as `bigint`, a number that JSON lacks as text. */
export function plainValue(value: Value | null, type: ValueType): Value | null {
  switch (typeof value) {
    case 'bigint':
      return type === 'timestamp' || type === 'list<timestamp>' ? formatInstant(value) : value
    case 'number':
      // JSON has no literal for these; the names are what Feast writes.
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      if (value === null) return null
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
      return value.map((element) => plainValue(element, type))
    case 'string':
    case 'boolean':
      return value
    default:
      return value satisfies never
  }
}
