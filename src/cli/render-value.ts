import type {Value} from '../definitions/value-type.js'

/** A value for people: text as it is, bytes in hex, lists in brackets. */
export function renderValue(value: Value | null): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object') return `[${value.map(renderValue).join(', ')}]`
  return String(value)
}
