/** Days since 1970 as text and back, for every day that an engine can hold and not only those of JavaScript's dates. */

const millisOfDay = 86_400_000
/** The calendar repeats after so many days. */
const daysOf400Years = 146_097
/** What DuckDB and PostgreSQL hold for `infinity`: https://duckdb.org/docs/stable/sql/data_types/date */
const infinity = 2_147_483_647

/** `YYYY-MM-DD`; years outside 0 to 9999 with a sign and six digits; `infinity` and `-infinity`. */
export function formatDay(day: number): string {
  if (Math.abs(day) >= infinity) return day > 0 ? 'infinity' : '-infinity'
  const cycles = Math.floor(day / daysOf400Years)
  const date = new Date((day - cycles * daysOf400Years) * millisOfDay)
  const year = date.getUTCFullYear() + cycles * 400
  return `${formatYear(year)}-${date.toISOString().slice(5, 10)}`
}

/** The inverse of `formatDay`; `undefined` for anything else, days that do not exist included. */
export function parseDay(text: string): number | undefined {
  if (text === 'infinity' || text === '-infinity') return text === 'infinity' ? infinity : -infinity
  const match = /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day] = match
  const cycles = Math.floor(Number(year) / 400)
  const yearOfCycle = Number(year) - cycles * 400
  // From 2000 on, which begins a cycle: Date.UTC moves the years 0 to 99 into the 1900s.
  const days = Date.UTC(2000 + yearOfCycle, Number(month) - 1, Number(day)) / millisOfDay
  const result = days + (cycles - 5) * daysOf400Years
  return formatDay(result) === text ? result : undefined
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0')
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`
}
