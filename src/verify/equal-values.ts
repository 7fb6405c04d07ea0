import type {Value} from '../definitions/value-type.js'

/** Whether a store would keep both as the same bytes: NaN equals itself, 0 is not -0, lists are equal item by item. */
export function equalValues(a: Value | null, b: Value | null): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, index) => equalValues(item, b[index] ?? null))
  }
  return Object.is(a, b)
}

function isList(value: Value | null): value is readonly (Value | null)[] {
  return Array.isArray(value)
}
