import type {CatalogColumn} from './catalog-table.js'

/** Days since 1970-01-01, first and last included. */
export interface DayRange {
  readonly first: number
  /** Absent: no end. */
  readonly last?: number
}

/** How the partitions of a table say which days they hold. */
export interface DatedKeys {
  /** The days of a partition with these values; undefined where they name no day. */
  readonly daysOf: (values: readonly string[]) => Required<DayRange> | undefined
  /** What Glue needs to leave out most of the others; undefined where it can't tell. */
  readonly expression: (range: DayRange) => string | undefined
}

const dateNames = /^(dt|ds|date|day|datestamp|partition_date|partitiondate|.*_(date|dt|day|ds))$/i

/**
 * Finds the partition keys that are a time: a date or a timestamp, text that is named like one, or year, month, day
 * and hour. They need not follow the event time: whoever prunes by them must see whether they do. Undefined where there
 * are none.
 */
export function datedKeys(keys: readonly CatalogColumn[], timestampField: string): DatedKeys | undefined {
  const at = keys.findIndex(
    ({name, type}) =>
      /^(date|timestamp)/i.test(type) ||
      name.toLowerCase() === timestampField.toLowerCase() ||
      (/^(string|varchar|char|int|bigint)/i.test(type) && dateNames.test(name) && !hasYear(keys)),
  )
  if (at >= 0) return singleKey(keys[at] as CatalogColumn, at)
  return hasYear(keys) ? calendarKeys(keys) : undefined
}

/** The day of an instant of microseconds since 1970-01-01. */
export function dayOf(instant: bigint): number {
  const day = 86_400_000_000n
  return Number((instant - (((instant % day) + day) % day)) / day)
}

function singleKey({name, type}: CatalogColumn, at: number): DatedKeys {
  return {
    daysOf: (values) => {
      const [, year, month, date] = /^(\d{4})-?(\d{2})-?(\d{2})(?:\D|$)/.exec(values[at] ?? '') ?? []
      if (date === undefined) return undefined
      const day = dayNumber(Number(year), Number(month), Number(date))
      return {first: day, last: day}
    },
    // Of text nobody knows how it writes dates before it was seen.
    expression: ({first, last}) => {
      if (type.toLowerCase() !== 'date') return undefined
      const parts = [
        `${name} >= '${isoDay(first)}'`,
        ...(last === undefined ? [] : [`${name} <= '${isoDay(last)}'`]),
      ]
      return parts.join(' AND ')
    },
  }
}

const hasYear = (keys: readonly CatalogColumn[]): boolean =>
  keys.some(({name}) => /^(year|yyyy|yr)$/i.test(name))

function calendarKeys(keys: readonly CatalogColumn[]): DatedKeys {
  const find = (pattern: RegExp): number => keys.findIndex(({name}) => pattern.test(name))
  const [year, month, day] = [find(/^(year|yyyy|yr)$/i), find(/^(month|mm|mo)$/i), find(/^(day|dd|dy)$/i)]
  const key = keys[year] as CatalogColumn
  return {
    daysOf: (values) => {
      const number = (at: number): number | undefined =>
        /^\d{1,4}$/.test(values[at] ?? '') ? Number(values[at]) : undefined
      const inYear = number(year)
      if (inYear === undefined) return undefined
      const inMonth = number(month)
      const onDay = inMonth === undefined ? undefined : number(day)
      return {
        first: dayNumber(inYear, inMonth ?? 1, onDay ?? 1),
        last:
          onDay === undefined
            ? dayNumber(inYear, (inMonth ?? 12) + 1, 1) - 1
            : dayNumber(inYear, inMonth ?? 1, onDay),
      }
    },
    expression: ({first, last}) => {
      const isText = /^(string|varchar|char)/i.test(key.type)
      const literal = (days: number): string => {
        const text = isoDay(days).slice(0, 4)
        return isText ? `'${text}'` : String(Number(text))
      }
      const parts = [
        `${key.name} >= ${literal(first)}`,
        ...(last === undefined ? [] : [`${key.name} <= ${literal(last)}`]),
      ]
      return parts.join(' AND ')
    },
  }
}

function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / 86_400_000
}

function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10)
}
