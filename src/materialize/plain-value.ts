import {valueAt, type Column} from '../definitions/column-batch.js'
import {formatInstant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'

/** The instants that text can show, in microseconds: what a JavaScript date can hold. */
const lastShown = 8_640_000_000_000_000_000n

/** A value as JSON holds it: times as text, bytes in base64, int64 as `bigint`, a number that JSON lacks as text. */
export function plainValue(column: Column, row: number): unknown {
  return plain(valueAt(column, row), column.type === 'timestamp' || column.type === 'list<timestamp>')
}

function plain(value: Value | null, isInstant: boolean): unknown {
  if (typeof value === 'bigint' && isInstant) return showInstant(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return (value as readonly (Value | null)[]).map((one) => plain(one, isInstant))
  return value
}

/** ISO-8601 where there is such a day; an engine's infinity is shown as its number. */
export function showInstant(instant: bigint): string {
  return instant > lastShown || instant < -lastShown ? String(instant) : formatInstant(instant)
}
