/** How far a load came: the key of the last row, in text that a registry can hold. */
import type {KeyColumn} from '../compile/query.js'
import {valueAt, type Column} from '../definitions/column-batch.js'
import type {KeyType, Value} from '../definitions/value-type.js'

/** A text for each part of the key that stands in `row`. */
export function formatPosition(keys: readonly Column[], row: number): readonly string[] {
  return keys.map((column) => {
    const value = valueAt(column, row)
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
  })
}

/** The inverse of `formatPosition`. */
export function parsePosition(keys: readonly KeyColumn[], position: readonly string[]): readonly Value[] {
  return keys.map(({valueType}, index) => parsePart(valueType, position[index] ?? ''))
}

function parsePart(type: KeyType, text: string): Value {
  switch (type) {
    case 'bool':
      return text === 'true'
    case 'int32':
      return Number(text)
    case 'int64':
    case 'timestamp':
      return BigInt(text)
    case 'date':
    case 'string':
      return text
    case 'bytes':
      return Uint8Array.from(Buffer.from(text, 'hex'))
    default:
      return type satisfies never
  }
}
