/** Columns as an Arrow IPC stream: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format */
import {createWriteStream} from 'node:fs'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import type {Data, DataType, Field, RecordBatch} from 'apache-arrow'
import type {Column} from '../../definitions/column-batch.js'
import {parseDay} from '../../definitions/day.js'
import {typeParts, type ScalarType, type Value} from '../../definitions/value-type.js'
import {elementOf} from '../../compile/dialects/duckdb-types.js'
import {frameTypeOf, type NativeColumn} from './frame-columns.js'

type Arrow = typeof import('apache-arrow')

/** Writes batches to a file, one record batch each; without rows the stream still tells its columns. Returns the rows. */
export async function writeArrowStream(
  path: string,
  columns: readonly NativeColumn[],
  batches: AsyncIterable<{readonly rowCount: number; readonly columns: readonly Column[]}>,
): Promise<number> {
  const arrow = await import('apache-arrow')
  const fields = columns.map(
    ({name, nativeType}) => new arrow.Field(name, arrowTypeOf(nativeType, arrow), true),
  )
  let rows = 0
  async function* recordBatches(): AsyncGenerator<RecordBatch> {
    for await (const batch of batches) {
      rows += batch.rowCount
      yield toRecordBatch(batch.columns, batch.rowCount, fields, arrow)
    }
    if (rows === 0) yield toRecordBatch(columns.map(emptyColumn), 0, fields, arrow)
  }
  await pipeline(
    Readable.from(recordBatches()),
    arrow.RecordBatchStreamWriter.throughNode({autoDestroy: true}),
    createWriteStream(path),
  )
  return rows
}

function toRecordBatch(
  columns: readonly Column[],
  rowCount: number,
  fields: readonly Field[],
  arrow: Arrow,
): RecordBatch {
  const children = columns.map((column, index) =>
    toData(column, rowCount, (fields[index] as Field).type as DataType, arrow),
  )
  const data = arrow.makeData({type: new arrow.Struct([...fields]), length: rowCount, nullCount: 0, children})
  return new arrow.RecordBatch(new arrow.Schema([...fields]), data)
}

function emptyColumn({nativeType}: NativeColumn): Column {
  return {type: frameTypeOf(nativeType), storage: 'text', values: []}
}

/** The narrow integers stay as narrow as they are in the engine. */
function arrowTypeOf(nativeType: string, arrow: Arrow): DataType {
  switch (nativeType) {
    case 'TINYINT':
      return new arrow.Int8()
    case 'SMALLINT':
      return new arrow.Int16()
    case 'UTINYINT':
      return new arrow.Uint8()
    case 'USMALLINT':
      return new arrow.Uint16()
    case 'UINTEGER':
      return new arrow.Uint32()
    case 'TIMESTAMP WITH TIME ZONE':
      return new arrow.TimestampMicrosecond('UTC')
    default:
  }
  const parts = typeParts(frameTypeOf(nativeType))
  switch (parts.kind) {
    case 'list':
      return new arrow.List(
        new arrow.Field('item', arrowTypeOf(elementOf(nativeType) ?? 'VARCHAR', arrow), true),
      )
    case 'decimal':
      return new arrow.Decimal(parts.scale, parts.precision, 128)
    case 'scalar':
      return scalarType(parts.name, arrow)
    default:
      return parts satisfies never
  }
}

function scalarType(
  name: Exclude<ScalarType, `decimal(${number},${number})`> | 'json',
  arrow: Arrow,
): DataType {
  switch (name) {
    case 'string':
    case 'json':
      return new arrow.Utf8()
    case 'bytes':
      return new arrow.Binary()
    case 'bool':
      return new arrow.Bool()
    case 'int32':
      return new arrow.Int32()
    case 'int64':
      return new arrow.Int64()
    case 'float32':
      return new arrow.Float32()
    case 'float64':
      return new arrow.Float64()
    case 'timestamp':
      return new arrow.TimestampMicrosecond()
    case 'date':
      return new arrow.DateDay()
    default:
      return name satisfies never
  }
}

function toData(column: Column, length: number, type: DataType, arrow: Arrow): Data {
  // The library types this call by the class of each type; here the class is known at run time only.
  const make = arrow.makeData as (props: object) => Data
  const common = {...validityOf(column.nulls, length), type, length}
  switch (column.storage) {
    case 'bool':
      return make({...common, data: packBits(column.values)})
    case 'int32':
    case 'float32':
    case 'float64':
    case 'int64':
      return make({...common, data: storedAs(column.values, type, arrow)})
    case 'text':
      return arrow.DataType.isDecimal(type)
        ? make({...common, data: decimalWords(column, length, type.scale)})
        : make({...common, ...joined(column.values.map((one) => Buffer.from(one)))})
    case 'bytes':
      return make({...common, ...joined(column.values)})
    case 'list': {
      const {element} = typeParts(column.type) as {readonly element: ScalarType}
      const elements = column.values.flat()
      const [item] = type.children as readonly Field[]
      const child = toData(
        elementColumn(element, elements),
        elements.length,
        (item as Field).type as DataType,
        arrow,
      )
      return make({...common, valueOffsets: offsetsOf(column.values), child})
    }
    default:
      return column satisfies never
  }
}

/** Arrow has one bit for each value, set where there is one. */
function validityOf(
  nulls: Uint8Array | undefined,
  length: number,
): {nullCount: number; nullBitmap?: Uint8Array} {
  const nullCount = nulls?.subarray(0, length).reduce((sum, one) => sum + one, 0) ?? 0
  return nullCount === 0
    ? {nullCount}
    : {nullCount, nullBitmap: packBits((nulls as Uint8Array).map((one) => 1 - one))}
}

function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8))
  bytes.forEach((byte, index) => {
    if (byte === 1) bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7))
  })
  return bits
}

function storedAs(
  values: Int32Array | BigInt64Array | Float32Array | Float64Array,
  type: DataType,
  {DataType}: Arrow,
): Int32Array {
  if (!DataType.isInt(type)) return values as Int32Array
  const numbers = values as unknown as ArrayLike<number>
  const narrow: Readonly<Record<string, () => unknown>> = {
    int8: () => Int8Array.from(numbers),
    uint8: () => Uint8Array.from(numbers),
    int16: () => Int16Array.from(numbers),
    uint16: () => Uint16Array.from(numbers),
    uint32: () => Uint32Array.from(values as BigInt64Array, Number),
  }
  return (narrow[`${type.isSigned ? 'int' : 'uint'}${type.bitWidth}`]?.() ?? values) as Int32Array
}

function joined(values: readonly Uint8Array[]): {valueOffsets: Int32Array; data: Uint8Array} {
  return {valueOffsets: offsetsOf(values), data: Buffer.concat(values)}
}

function offsetsOf(values: readonly {readonly length: number}[]): Int32Array {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, index) => {
    offsets[index + 1] = (offsets[index] as number) + value.length
  })
  return offsets
}

/** Decimal text as 128 bits in four words, the lowest first. */
function decimalWords(
  column: Extract<Column, {storage: 'text'}>,
  length: number,
  scale: number,
): Uint32Array {
  const words = new BigUint64Array(length * 2)
  for (let row = 0; row < length; row += 1) {
    if (column.nulls?.[row] === 1) continue
    const [whole = '', fraction = ''] = (column.values[row] as string).split('.')
    const value = BigInt(`${whole}${fraction.padEnd(scale, '0')}`)
    words[row * 2] = BigInt.asUintN(64, value)
    words[row * 2 + 1] = BigInt.asUintN(64, value >> 64n)
  }
  return new Uint32Array(words.buffer)
}

/** The elements of all lists of a column, one behind the other. */
function elementColumn(type: ScalarType, elements: readonly (Value | null)[]): Column {
  const nulls = Uint8Array.from(elements, (one) => (one === null ? 1 : 0))
  const common = {type, nulls}
  switch (type) {
    case 'bool':
      return {...common, storage: 'bool', values: Uint8Array.from(elements, (one) => (one === true ? 1 : 0))}
    case 'int32':
      return {...common, storage: 'int32', values: Int32Array.from(elements as number[])}
    case 'date':
      return {
        ...common,
        storage: 'int32',
        values: Int32Array.from(elements, (one) => parseDay((one ?? '') as string) ?? 0),
      }
    case 'int64':
    case 'timestamp':
      return {
        ...common,
        storage: 'int64',
        values: BigInt64Array.from(elements, (one) => (one ?? 0n) as bigint),
      }
    case 'float32':
      return {...common, storage: 'float32', values: Float32Array.from(elements as number[])}
    case 'float64':
      return {...common, storage: 'float64', values: Float64Array.from(elements as number[])}
    case 'bytes':
      return {
        ...common,
        storage: 'bytes',
        values: elements.map((one) => (one ?? new Uint8Array()) as Uint8Array),
      }
    default:
      return {...common, storage: 'text', values: elements.map((one) => (one ?? '') as string)}
  }
}
