import type {Value, ValueType} from '../../src/definitions/value-type.js'
import {typeParts} from '../../src/definitions/value-type.js'

/**
 * The total order of values of one type, by which rows that tie are settled: null is smallest, also within a list, where
 * the first difference decides and then the length. NaN is the largest number and equal to itself; -0 equals 0. Text
 * (`json` too) is ordered by its UTF-8 bytes.
 */
export function compareValues(type: ValueType, a: Value | null, b: Value | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'list':
      return compareLists(parts.element, a as readonly (Value | null)[], b as readonly (Value | null)[])
    case 'decimal':
      return compare(unscaled(a as string, parts.scale), unscaled(b as string, parts.scale))
    case 'scalar':
      break
    default:
      return parts satisfies never
  }
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return compare(a as number | bigint | boolean, b as number | bigint | boolean)
}

function compareLists(
  element: ValueType,
  a: readonly (Value | null)[],
  b: readonly (Value | null)[],
): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareValues(element, a[index] as Value | null, b[index] as Value | null)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compare<T extends number | bigint | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A decimal in plain notation as a whole number of its last digit. */
function unscaled(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0'))
}
