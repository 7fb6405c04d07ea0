/**
 * Types of Amazon Redshift, how their values leave it in Parquet, and what they then are in DuckDB.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
 */
import {typeParts, type ValueType} from '../../definitions/value-type.js'
import {quoteText} from './redshift-names.js'

/** Microseconds since 1970 are counted from here, so that the count is never negative. */
const daysBefore1970 = 2_500_000n
const microsOfDay = 86_400_000_000n

export interface Travel {
  /** What UNLOAD writes; `column` is of the type. */
  readonly sent: (column: string) => string
  /** What is made of it in DuckDB. */
  readonly received: (column: string) => string
  /** The type in DuckDB that holds every value. */
  readonly native: string
}

/**
 * How a column travels that is declared as `type`, or that nobody declares. Undefined for types whose values can't be had.
 * Instants go as whole microseconds: UNLOAD writes TIMESTAMPTZ without its zone. SUPER goes as JSON, VARBYTE as digits.
 */
export function travelOf(native: string, type: ValueType | undefined): Travel | undefined {
  const as = (duckDb: string): Travel => ({
    sent: (column) => column,
    received: (column) => `${column}::${duckDb}`,
    native: duckDb,
  })
  const decimal = /^numeric\((\d+),(\d+)\)$/.exec(native)
  if (decimal !== null) return as(`DECIMAL(${decimal[1] ?? ''},${decimal[2] ?? ''})`)
  switch (native.replace(/\(.*\)$/, '')) {
    case 'int2':
      return as('SMALLINT')
    case 'int4':
      return as('INTEGER')
    case 'int8':
      return as('BIGINT')
    case 'float4':
      return as('FLOAT')
    case 'float8':
      return as('DOUBLE')
    case 'bool':
      return as('BOOLEAN')
    case 'date':
      return as('DATE')
    case 'varchar':
    case 'text':
      return as('VARCHAR')
    case 'bpchar':
      return {...as('VARCHAR'), sent: (column) => `${column}::varchar`}
    case 'timestamp':
      return {
        sent: microseconds,
        received: (column) => `make_timestamp(${column}::BIGINT)`,
        native: 'TIMESTAMP',
      }
    case 'timestamptz':
      return {
        sent: (column) => microseconds(inUtc(column)),
        received: (column) => `to_timestamp(0) + to_microseconds(${column}::BIGINT)`,
        native: 'TIMESTAMP WITH TIME ZONE',
      }
    case 'varbyte':
      return {
        sent: (column) => `to_hex(${column})`,
        received: (column) => `from_hex(${column})`,
        native: 'BLOB',
      }
    case 'super':
      return superTravel(type)
    default:
      return undefined
  }
}

/** Elements are read from their text, so that no number is rounded; those of bytes are hexadecimal digits. */
function superTravel(type: ValueType | undefined): Travel {
  const sent = (column: string): string => `json_serialize(${column})`
  const parts = type === undefined ? undefined : typeParts(type)
  if (parts?.kind !== 'list') return {sent, received: (column) => `${column}::JSON`, native: 'JSON'}
  const texts = (column: string): string => `from_json(${column}, '["VARCHAR"]')`
  return parts.element === 'bytes'
    ? {
        sent,
        received: (column) => `list_transform(${texts(column)}, lambda e: from_hex(e))`,
        native: 'BLOB[]',
      }
    : {sent, received: texts, native: 'VARCHAR[]'}
}

/** Epoch microseconds of a TIMESTAMP. */
export function microseconds(timestamp: string): string {
  return `datediff(microsecond, timestamp '1970-01-01 00:00:00', ${timestamp})`
}

/** A TIMESTAMPTZ as TIMESTAMP in UTC. */
export function inUtc(timestamp: string): string {
  return `(${timestamp} at time zone 'utc')`
}

/**
 * Epoch microseconds as a number that is not negative and has 19 digits at most.
 */
export function counted(micros: string): string {
  return `(${micros} + ${daysBefore1970 * microsOfDay})`
}

/**
 * The TIMESTAMP of a number that `counted` gave. DATEADD takes no more than an INTEGER, so days, seconds and
 * microseconds are added one by one: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html
 */
export function timestampOf(count: string): string {
  const days = `(${count} / ${microsOfDay})::int - ${daysBefore1970}`
  const seconds = `((${count} % ${microsOfDay}) / 1000000)::int`
  const micros = `(${count} % 1000000)::int`
  return `dateadd(microsecond, ${micros}, dateadd(second, ${seconds}, dateadd(day, ${days}, timestamp '1970-01-01 00:00:00')))`
}

/** A text of any characters, by its bytes: it may hold what a statement can't. */
export function textOf(value: string): string {
  return value === ''
    ? quoteText('')
    : `from_varbyte(from_hex('${Buffer.from(value).toString('hex')}'), 'utf-8')`
}
