/** Reads values out of parsed JSON that nobody vouches for; each reader names the path of what it did not expect. */
import {parseInstant, type Instant} from '../definitions/instant.js'

/** Something in a document is not what it should be. Its reader turns this into an error that names the document. */
export class UnexpectedValue extends Error {
  override readonly name = 'UnexpectedValue'

  constructor(path: string, expected: string, found: unknown) {
    const shown = JSON.stringify(found)?.slice(0, 60)
    super(
      `${path === '' ? 'it' : `\`${path}\``} is not ${expected}${shown === undefined ? '' : `, but ${shown}`}`,
    )
  }
}

export function asRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new UnexpectedValue(path, 'an object', value)
}

export function asText(value: unknown, path: string): string {
  if (typeof value === 'string') return value
  throw new UnexpectedValue(path, 'text', value)
}

export function asCount(value: unknown, path: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new UnexpectedValue(path, 'a whole number', value)
}

export function asNumber(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new UnexpectedValue(path, 'a number', value)
}

/** An instant as ISO text, or as the bare number of microseconds. */
export function asInstant(value: unknown, path: string): Instant {
  const text = asText(value, path)
  const instant = /^-?\d{1,19}$/.test(text) ? BigInt(text) : parseInstant(text)
  if (instant !== undefined) return instant
  throw new UnexpectedValue(path, 'an instant', value)
}

export function asOneOf<const T extends string>(expected: readonly T[], value: unknown, path: string): T {
  if (expected.includes(value as T)) return value as T
  throw new UnexpectedValue(path, `one of ${expected.join(', ')}`, value)
}

export function asList<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T[] {
  if (!Array.isArray(value)) throw new UnexpectedValue(path, 'a list', value)
  return value.map((one, index) => read(one, `${path}.${index}`))
}

export function asOptional<T>(
  value: unknown,
  path: string,
  read: (value: unknown, path: string) => T,
): T | undefined {
  return value === undefined ? undefined : read(value, path)
}
