import {formatDay} from './day.js'

/** An instant is a `bigint` of UTC microseconds since 1970; nothing here reads the machine's zone or clock. */
export type Instant = bigint

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:\s*([Zz]|[+-]\d{2}(?::?\d{2})?))?)?$/

/**
 * Reads ISO-8601 text strictly: a date (midnight UTC), or a date and time with at most six decimals; without a zone it
 * is UTC. `undefined` for anything else, dates that do not exist included.
 */
export function parseInstant(text: string): Instant | undefined {
  const match = pattern.exec(text.trim())
  if (match === null) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const whole = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const date = new Date(whole)
  // Date.UTC moves years 0 to 99 into the 1900s and rolls 31 February over: both are refused.
  const exact =
    date.getUTCFullYear() === Number(year) &&
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  if (!exact) return undefined
  const offset = zoneOffsetMinutes(zone)
  if (offset === undefined) return undefined
  return BigInt(whole) * 1000n + BigInt(fraction.padEnd(6, '0')) - BigInt(offset) * 60_000_000n
}

/** The first midnight that DuckDB takes: https://duckdb.org/docs/stable/sql/data_types/timestamp */
export const earliestInstant: Instant = -9_223_372_022_400_000_000n

/** What DuckDB holds for `infinity`; negated for `-infinity`. */
const infinity = 9_223_372_036_854_775_807n
const microsOfDay = 86_400_000_000n

/**
 * ISO-8601 UTC with a `Z`; microseconds only where there are any. The inverse of `parseInstant`, and beyond it: years
 * outside 0 to 9999 with a sign and six digits, `infinity` and `-infinity` as engines hold them.
 */
export function formatInstant(instant: Instant): string {
  if (instant >= infinity || instant <= -infinity) return instant > 0n ? 'infinity' : '-infinity'
  const ofDay = ((instant % microsOfDay) + microsOfDay) % microsOfDay
  const day = formatDay(Number((instant - ofDay) / microsOfDay))
  const time = new Date(Number(ofDay / 1000n)).toISOString().slice(11, 19)
  const micros = ofDay % 1_000_000n
  return `${day}T${time}${micros === 0n ? '' : `.${micros.toString().padStart(6, '0')}`}Z`
}

function zoneOffsetMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
