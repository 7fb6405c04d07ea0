/** What DuckDB calls a value type, and the value type of what DuckDB calls a type. */
import {parseValueType, typeParts, type ScalarType, type ValueType} from '../../definitions/value-type.js'

const natives: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  bytes: 'BLOB',
  bool: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  json: 'VARCHAR',
}

/** The type that holds a value type's values while they are compared and chosen. */
export function nativeTypeOf(type: ValueType): string {
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'scalar':
      return natives[parts.name] as string
    case 'decimal':
      return `DECIMAL(${parts.precision},${parts.scale})`
    case 'list':
      return `${nativeTypeOf(parts.element)}[]`
    default:
      return parts satisfies never
  }
}

const valueTypes: Readonly<Record<string, ValueType>> = {
  BOOLEAN: 'bool',
  TINYINT: 'int32',
  SMALLINT: 'int32',
  INTEGER: 'int32',
  UTINYINT: 'int32',
  USMALLINT: 'int32',
  BIGINT: 'int64',
  UINTEGER: 'int64',
  UBIGINT: 'decimal(20,0)',
  // What sum() of integers gives; its 39th digit doesn't fit and is refused value by value.
  HUGEINT: 'decimal(38,0)',
  FLOAT: 'float32',
  DOUBLE: 'float64',
  VARCHAR: 'string',
  UUID: 'string',
  BLOB: 'bytes',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  JSON: 'json',
}

/** The value type that holds every value of a native type; `undefined` when none does. */
export function valueTypeOf(native: string): ValueType | undefined {
  const element = elementOf(native)
  if (element !== undefined) {
    const inner = valueTypeOf(element)
    return inner === undefined ? undefined : (parseValueType(`list<${inner}>`) ?? 'json')
  }
  if (/^(STRUCT|MAP)\(/.test(native)) return 'json'
  if (native.startsWith('ENUM(')) return 'string'
  if (native.startsWith('DECIMAL(')) return parseValueType(native)
  return valueTypes[native]
}

/** The element type of a list or array type. */
export function elementOf(native: string): string | undefined {
  return /^(.+)\[\d*\]$/s.exec(native)?.[1]
}

/** Bits that hold the magnitude of an integer type, and whether it has a sign. */
const integerBits: Readonly<Record<string, {readonly bits: number; readonly signed: boolean}>> = {
  TINYINT: {bits: 7, signed: true},
  SMALLINT: {bits: 15, signed: true},
  INTEGER: {bits: 31, signed: true},
  BIGINT: {bits: 63, signed: true},
  UTINYINT: {bits: 8, signed: false},
  USMALLINT: {bits: 16, signed: false},
  UINTEGER: {bits: 32, signed: false},
  UBIGINT: {bits: 64, signed: false},
}

/** True when every value of the native type is a value of the scalar type, so that a cast needs no check. */
export function alwaysFits(native: string, type: ScalarType): boolean {
  if (type === 'string' || native === nativeTypeOf(type)) return true
  const parts = typeParts(type)
  const integer = integerBits[native]
  if (integer !== undefined) {
    if (parts.kind === 'decimal')
      return parts.precision - parts.scale >= Math.ceil(integer.bits * Math.LOG10E * Math.LN2)
    const room: Readonly<Record<string, number>> = {int32: 31, int64: 63, float32: 24, float64: 53}
    return integer.bits <= (room[type] ?? 0)
  }
  if (native === 'FLOAT') return type === 'float64'
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(native)
  if (decimal !== null && parts.kind === 'decimal') {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
    return parts.scale >= scale && parts.precision - parts.scale >= precision - scale
  }
  return false
}
