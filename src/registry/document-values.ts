/**
 * Values of documents. Readers take parsed JSON that nobody vouches for; each names the path of what it did not expect.
 */
import {formatInstant, parseInstant, type Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {ProcessIdentity} from './registry.js'

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

/** The JSON form of an identity, for lock files too. */
export function formatIdentity({host, pid, bootId, startedAt}: ProcessIdentity): object {
  return {host, pid, boot_id: bootId, started_at: startedAt}
}

/** The inverse of `formatIdentity`; throws UnexpectedValue, naming `path`. */
export function parseIdentity(value: unknown, path: string): ProcessIdentity {
  const plain = asRecord(value, path)
  return {
    host: asText(plain['host'], `${path}.host`),
    pid: asCount(plain['pid'], `${path}.pid`),
    bootId: asText(plain['boot_id'], `${path}.boot_id`),
    startedAt: asText(plain['started_at'], `${path}.started_at`),
  }
}

export function formatInterval({start, end}: Interval): object {
  return {start: start === null ? null : formatExactly(start), end: formatExactly(end)}
}

export function parseInterval(value: unknown, path: string): Interval {
  const plain = asRecord(value, path)
  return {
    start: plain['start'] === null ? null : asInstant(plain['start'], `${path}.start`),
    end: asInstant(plain['end'], `${path}.end`),
  }
}

/** ISO text; the bare number of microseconds for an instant outside the four-digit years, which a source may hold. */
export function formatExactly(instant: Instant): string {
  const years = {first: -62_135_596_800_000_000n, last: 253_402_300_799_999_999n}
  const text = instant < years.first || instant > years.last ? undefined : formatInstant(instant)
  return text !== undefined && parseInstant(text) === instant ? text : instant.toString()
}

export function formatOptionalInstant(instant: Instant | undefined): string | undefined {
  return instant === undefined ? undefined : formatExactly(instant)
}

/** Optional keys whose value is absent are left out, as exact optional properties ask. */
export function withoutAbsent<T extends object>(record: {readonly [K in keyof T]: T[K] | undefined}): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
}
