import {createReadStream} from 'node:fs'
import type {DataType, RecordBatch, TimeUnit, Vector} from 'apache-arrow'
import type {TypedColumn} from '../../compile/query.js'
import {formatDay} from '../../definitions/day.js'
import type {ScalarType, Value, ValueType} from '../../definitions/value-type.js'
import {FeatureStoreError} from '../../errors.js'

type Arrow = typeof import('apache-arrow')
type AnyVector = Pick<Vector, 'length' | 'get' | 'data' | 'type'>

/** Entity rows of an Arrow file or stream. Throws FS_ENTITY_ROWS_INVALID for what is no whole one. */
export async function readArrowFile(path: string): Promise<{
  readonly columns: readonly TypedColumn[]
  readonly rows: readonly (readonly (Value | null)[])[]
}> {
  const arrow = await import('apache-arrow')
  try {
    const reader = await arrow.RecordBatchReader.from(createReadStream(path))
    await reader.open()
    const columns = reader.schema.fields.map(({name, type}) => ({
      name,
      valueType: valueTypeOf(type as DataType, name, arrow),
    }))
    const rows: (readonly (Value | null)[])[] = []
    for await (const batch of reader) appendRows(batch, columns, rows, arrow)
    return {columns, rows}
  } catch (cause) {
    if (cause instanceof FeatureStoreError) throw cause
    throw new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `The file of entity rows ${path} is no whole Arrow file or stream: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {hint: 'Write it with an Arrow library, and check that its writer ended well.', cause},
    )
  }
}

function appendRows(
  batch: RecordBatch,
  columns: readonly TypedColumn[],
  rows: (readonly (Value | null)[])[],
  arrow: Arrow,
): void {
  const vectors = columns.map((_, index) => batch.getChildAt(index) as Vector)
  for (let row = 0; row < batch.numRows; row += 1)
    rows.push(vectors.map((vector) => valueAt(vector, row, arrow)))
}

function valueTypeOf(type: DataType, name: string, arrow: Arrow): ValueType {
  const {DataType} = arrow
  if (DataType.isDictionary(type)) return valueTypeOf(type.dictionary as DataType, name, arrow)
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isNull(type)) return 'string'
  if (DataType.isBool(type)) return 'bool'
  if (DataType.isInt(type)) {
    if (type.bitWidth === 64) return type.isSigned ? 'int64' : 'decimal(20,0)'
    return type.bitWidth === 32 && !type.isSigned ? 'int64' : 'int32'
  }
  if (DataType.isFloat(type)) return type.precision === arrow.Precision.DOUBLE ? 'float64' : 'float32'
  if (DataType.isDecimal(type) && type.bitWidth === 128) return `decimal(${type.precision},${type.scale})`
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type))
    return 'bytes'
  if (DataType.isTimestamp(type) || (DataType.isDate(type) && type.unit === arrow.DateUnit.MILLISECOND))
    return 'timestamp'
  if (DataType.isDate(type)) return 'date'
  if (DataType.isList(type)) {
    const element = valueTypeOf(type.valueType as DataType, name, arrow)
    if (!element.startsWith('list<') && element !== 'json') return `list<${element as ScalarType}>`
  }
  throw new FeatureStoreError(
    'FS_ENTITY_ROWS_INVALID',
    `Column \`${name}\` of the entity rows is ${(type as {toString(): string}).toString()} in Arrow, which no value type holds.`,
    {hint: 'Leave the column out, or cast it before it is written.'},
  )
}

function valueAt(vector: AnyVector, row: number, arrow: Arrow): Value | null {
  const type = vector.type as DataType
  const {DataType} = arrow
  const given: unknown = vector.get(row)
  if (given === null || given === undefined) return null
  if (DataType.isTimestamp(type)) return toMicros(rawTime(vector, row), type.unit, arrow)
  if (DataType.isInt(type)) {
    if (type.bitWidth === 64) return type.isSigned ? (given as bigint) : `${given as bigint}`
    return type.bitWidth === 32 && !type.isSigned ? BigInt(given as number) : (given as number)
  }
  if (DataType.isDecimal(type)) return decimalText(given as Uint32Array, type.scale)
  if (DataType.isList(type)) {
    const list = given as AnyVector
    return Array.from({length: list.length}, (_, index) => valueAt(list, index, arrow))
  }
  if (DataType.isDate(type))
    return type.unit === arrow.DateUnit.DAY
      ? formatDay((given as number) / 86_400_000)
      : BigInt(given as number) * 1000n
  return given as Value
}

/** As it is stored: the library's own accessor makes a number of milliseconds of it, which rounds. */
function rawTime(vector: AnyVector, row: number): bigint {
  let index = row
  for (const {length, values} of vector.data) {
    if (index < length) return (values as BigInt64Array)[index] as bigint
    index -= length
  }
  throw new RangeError(`no row ${row} in a column of ${vector.length}`)
}

/** Nanoseconds are cut towards the past, as everywhere. */
function toMicros(raw: bigint, unit: TimeUnit, {TimeUnit: Unit}: Arrow): bigint {
  switch (unit) {
    case Unit.SECOND:
      return raw * 1_000_000n
    case Unit.MILLISECOND:
      return raw * 1000n
    case Unit.MICROSECOND:
      return raw
    case Unit.NANOSECOND:
      return (raw - (((raw % 1000n) + 1000n) % 1000n)) / 1000n
    default:
      return unit satisfies never
  }
}

/** 128 bits in four words, the lowest first, as two's complement. */
function decimalText(words: Uint32Array, scale: number): string {
  const unsigned = [...words].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  const value = BigInt.asIntN(128, unsigned)
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
