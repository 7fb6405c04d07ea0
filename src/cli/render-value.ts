import type {Value} from '../definitions/value-type.js'

/** A value as JSON holds it, for people: lists in brackets, and nothing that would break a line. */
export function renderValue(value: Value | null): string {
  if (value === null) return 'null'
  if (typeof value === 'object') return `[${[...value].map(renderValue).join(', ')}]`
  return String(value).replaceAll(/[\u0000-\u001f\u007f]/g, (one) => JSON.stringify(one).slice(1, -1))
}
