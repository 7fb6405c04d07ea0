/** Parquet files of exact values, for stores to read and for what stores wrote. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBTimestampValue,
  FLOAT,
  INTEGER,
  LIST,
  TIMESTAMP,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import type {TypedColumn} from '../../src/compile/query.js'
import {formatDay, parseDay} from '../../src/definitions/day.js'
import {typeParts, type Value, type ValueType} from '../../src/definitions/value-type.js'
import type {Row} from './oracle.js'

/** Small row groups, so that several threads have something to share in a small file. */
const rowGroupSize = 2048

/** Writes a file with one column of the type nearest to each value type; `zoned` names timestamps that are to be TIMESTAMPTZ. */
export async function writeParquet(
  path: string,
  columns: readonly TypedColumn[],
  rows: readonly Row[],
  {zoned = []}: {readonly zoned?: readonly string[]} = {},
): Promise<void> {
  const connection = await connect()
  const types = columns.map(({valueType}) => duckDbType(valueType))
  const declared = columns.map(
    ({name, valueType}, index) =>
      `${quote(name, '"')} ${valueType === 'json' ? 'JSON' : String(types[index])}`,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE written (${declared.join(', ')})`)
  const appender = await connection.createAppender('written')
  for (const row of rows) {
    columns.forEach(({valueType}, index) => {
      const value = row[index] as Value | null
      if (value === null) appender.appendNull()
      else appender.appendValue(toDuckDb(value, valueType), types[index])
    })
    appender.endRow()
  }
  appender.closeSync()
  const cast = zoned.map((name) => `make_timestamptz(epoch_us(${quote(name, '"')})) AS ${quote(name, '"')}`)
  const written = zoned.length === 0 ? 'written' : `(SELECT * REPLACE (${cast.join(', ')}) FROM written)`
  await connection.run(
    `COPY ${written} TO ${quote(path, "'")} (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupSize}, PRESERVE_ORDER true)`,
  )
}

/** The rows of a file, in order, and its columns with their types as DuckDB names them. */
export async function readParquet(path: string): Promise<{
  readonly columns: readonly {readonly name: string; readonly nativeType: string}[]
  readonly rows: readonly Row[]
}> {
  const connection = await connect()
  const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet(${quote(path, "'")})`)
  return {
    columns: reader
      .columnNames()
      .map((name, index) => ({name, nativeType: String(reader.columnType(index))})),
    rows: reader.getRows().map((row) => row.map(fromDuckDb)),
  }
}

let opened: Promise<DuckDBConnection> | undefined

/** One connection for all files of a test process. */
function connect(): Promise<DuckDBConnection> {
  opened ??= DuckDBInstance.create(':memory:', {threads: '1'}).then((instance) => instance.connect())
  return opened
}

function quote(text: string, mark: string): string {
  return `${mark}${text.replaceAll(mark, mark + mark)}${mark}`
}

function duckDbType(type: ValueType): DuckDBType {
  const parts = typeParts(type)
  if (parts.kind === 'list') return LIST(duckDbType(parts.element))
  if (parts.kind === 'decimal') return DECIMAL(parts.precision, parts.scale)
  switch (parts.name) {
    case 'string':
    case 'json':
      return VARCHAR
    case 'bytes':
      return BLOB
    case 'bool':
      return BOOLEAN
    case 'int32':
      return INTEGER
    case 'int64':
      return BIGINT
    case 'float32':
      return FLOAT
    case 'float64':
      return DOUBLE
    case 'timestamp':
      return TIMESTAMP
    case 'date':
      return DATE
    default:
      return parts.name satisfies never
  }
}

function toDuckDb(value: Value, type: ValueType): DuckDBValue {
  const parts = typeParts(type)
  if (parts.kind === 'list') {
    return new DuckDBListValue(
      (value as readonly (Value | null)[]).map((one) => (one === null ? null : toDuckDb(one, parts.element))),
    )
  }
  if (parts.kind === 'decimal') {
    const [whole = '', fraction = ''] = (value as string).split('.')
    const unscaled = BigInt(whole + fraction.padEnd(parts.scale, '0'))
    return new DuckDBDecimalValue(unscaled, parts.precision, parts.scale)
  }
  switch (parts.name) {
    case 'bytes':
      return new DuckDBBlobValue(value as Uint8Array)
    case 'timestamp':
      return new DuckDBTimestampValue(value as bigint)
    case 'date':
      return new DuckDBDateValue(parseDay(value as string) as number)
    default:
      return value as DuckDBValue
  }
}

function fromDuckDb(value: DuckDBValue): Value | null {
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes)
  if (value instanceof DuckDBTimestampValue) return value.micros
  if (value instanceof DuckDBDateValue) return formatDay(value.days)
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBListValue) return value.items.map(fromDuckDb)
  return value as Value | null
}
