/**
 * Values of features and keys as native CQL values. CQL's own `timestamp` holds milliseconds, so times are `bigint`s of
 * microseconds; its collections hold no nulls, so a list keeps a zero in the place of each null element and the row says
 * where they are: https://cassandra.apache.org/doc/latest/cassandra/developing/cql/types.html
 */
import {types} from 'cassandra-driver'
import type {Column} from '../../definitions/column-batch.js'
import {formatDay, parseDay} from '../../definitions/day.js'
import {typeParts, type ScalarType, type Value, type ValueType} from '../../definitions/value-type.js'

/** CQL counts days from the middle of an unsigned 32-bit number. */
const dayZero = 2 ** 31
/** Where a number of 64 bits is taken apart. */
const wide = new DataView(new ArrayBuffer(8))

/** The type of the column that holds values of a type. */
export function cqlTypeOf(type: ValueType): string {
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'list':
      return `frozen<list<${cqlTypeOf(parts.element)}>>`
    case 'decimal':
      return 'decimal'
    case 'scalar':
      switch (parts.name) {
        case 'string':
        case 'json':
          return 'text'
        case 'bytes':
          return 'blob'
        case 'bool':
          return 'boolean'
        case 'int32':
          return 'int'
        case 'int64':
        case 'timestamp':
          return 'bigint'
        case 'float32':
          return 'float'
        case 'float64':
          return 'double'
        case 'date':
          return 'date'
        default:
          return parts.name satisfies never
      }
    default:
      return parts satisfies never
  }
}

/** The bytes of a slot that is not null. */
export function encodeSlot(column: Column, row: number): Buffer {
  switch (column.storage) {
    case 'bool':
      return Buffer.from([column.values[row] as number])
    case 'int32': {
      const value = column.values[row] as number
      return column.type === 'date' ? encodeDay(value) : encodeInt32(value)
    }
    case 'int64':
      return encodeInt64(column.values[row] as bigint)
    case 'float32':
      return encodeFloat32(column.values[row] as number)
    case 'float64':
      return encodeFloat64(column.values[row] as number)
    case 'text': {
      const text = column.values[row] as string
      return column.type.startsWith('decimal') ? encodeDecimal(text) : Buffer.from(text)
    }
    case 'bytes':
      return Buffer.from(column.values[row] as Uint8Array)
    case 'list': {
      const parts = typeParts(column.type)
      if (parts.kind !== 'list') throw new TypeError(`a ${column.type} is no list`)
      return encodeList(parts.element, column.values[row] as readonly (Value | null)[])
    }
    default:
      return column satisfies never
  }
}

/** The bytes of a value as the SDK gives it. */
export function encodeValue(type: ScalarType | 'json', value: Value): Buffer {
  if (type.startsWith('decimal')) return encodeDecimal(value as string)
  switch (type as Exclude<ScalarType, `decimal(${number},${number})`> | 'json') {
    case 'string':
    case 'json':
      return Buffer.from(value as string)
    case 'bytes':
      return Buffer.from(value as Uint8Array)
    case 'bool':
      return Buffer.from([value === true ? 1 : 0])
    case 'int32':
      return encodeInt32(value as number)
    case 'int64':
    case 'timestamp':
      return encodeInt64(value as bigint)
    case 'float32':
      return encodeFloat32(value as number)
    case 'float64':
      return encodeFloat64(value as number)
    case 'date':
      return encodeDay(parseDay(value as string) as number)
    default:
      throw new TypeError(`no value of ${type}`)
  }
}

/** A value as the driver gives it, as the SDK gives it. Null elements of lists are put in by `withNullElements`. */
export function decodeValue(type: ValueType, value: unknown): Value {
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'list':
      return (value as readonly unknown[]).map((element) => decodeValue(parts.element, element))
    case 'decimal':
      return decodeDecimal(types.BigDecimal.toBuffer(value as types.BigDecimal))
    case 'scalar':
      switch (parts.name) {
        case 'bytes':
          return Uint8Array.from(value as Buffer)
        case 'date':
          return formatDay((value as types.LocalDate).toBuffer().readUInt32BE(0) - dayZero)
        case 'string':
        case 'json':
        case 'bool':
        case 'int32':
        case 'int64':
        case 'timestamp':
        case 'float32':
        case 'float64':
          return value as Value
        default:
          return parts.name satisfies never
      }
    default:
      return parts satisfies never
  }
}

/** Places of null elements in a list; undefined where there is none. */
export function nullElementsOf(list: readonly (Value | null)[]): readonly number[] | undefined {
  if (!list.includes(null)) return undefined
  return list.flatMap((element, index) => (element === null ? [index] : []))
}

export function withNullElements(
  list: readonly (Value | null)[],
  places: readonly number[],
): readonly (Value | null)[] {
  const nulls = new Set(places)
  return list.map((element, index) => (nulls.has(index) ? null : element))
}

/** `writeBigInt64BE` makes a few bigints of its own on the way. */
export function encodeInt64(value: bigint): Buffer {
  wide.setBigInt64(0, value)
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeInt32BE(wide.getInt32(0), 0)
  bytes.writeInt32BE(wide.getInt32(4), 4)
  return bytes
}

export function encodeInt32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** `[int count][int length][bytes]…`, as collections of the native protocol are. */
export function encodeCollection(elements: readonly Buffer[], count = elements.length): Buffer {
  return Buffer.concat([
    encodeInt32(count),
    ...elements.flatMap((bytes) => [encodeInt32(bytes.length), bytes]),
  ])
}

function encodeFloat32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeFloatBE(value)
  return bytes
}

function encodeFloat64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(value)
  return bytes
}

function encodeDay(day: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(day + dayZero)
  return bytes
}

function encodeList(element: ScalarType, list: readonly (Value | null)[]): Buffer {
  return encodeCollection(list.map((value) => encodeValue(element, value ?? zeroOf(element))))
}

/** What stands in the place of a null element. */
function zeroOf(type: ScalarType): Value {
  if (type.startsWith('decimal')) return '0'
  switch (type as Exclude<ScalarType, `decimal(${number},${number})`>) {
    case 'string':
      return ''
    case 'bytes':
      return new Uint8Array()
    case 'bool':
      return false
    case 'int32':
    case 'float32':
    case 'float64':
      return 0
    case 'int64':
    case 'timestamp':
      return 0n
    case 'date':
      return '1970-01-01'
    default:
      throw new TypeError(`no zero of ${type}`)
  }
}

/** `[int scale][unscaled value, two's complement]`: the text comes back as it was, trailing zeros included. */
function encodeDecimal(text: string): Buffer {
  const point = text.indexOf('.')
  const scale = point === -1 ? 0 : text.length - point - 1
  return Buffer.concat([encodeInt32(scale), encodeVarint(BigInt(text.replace('.', '')))])
}

function decodeDecimal(bytes: Buffer): string {
  const scale = bytes.readInt32BE(0)
  const unscaled = BigInt.asIntN((bytes.length - 4) * 8, BigInt(`0x${bytes.toString('hex', 4)}`))
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function encodeVarint(value: bigint): Buffer {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length += 1
  const hex = BigInt.asUintN(length * 8, value).toString(16)
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex')
}
