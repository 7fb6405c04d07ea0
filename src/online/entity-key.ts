/**
 * An entity's key as bytes: a typed tuple, so that (1, 23) and (12, 3) differ and so do ("a", "b:c") and ("a:b", "c").
 * Bytes compare as the values do: numbers ascending, text by its UTF-8 bytes, tuples from the left.
 *
 * Each part is a tag for its type and then a fixed number of bytes (big-endian, the sign bit flipped), or bytes in
 * which 00 is written 00 FF and which 00 01 ends.
 */
import type {Column} from '../definitions/column-batch.js'
import {parseDay} from '../definitions/day.js'
import type {JoinKey} from '../definitions/definition.js'
import type {KeyType, Value} from '../definitions/value-type.js'
import type {GrowingBytes} from './growing-bytes.js'
import type {EntityKey} from './online-store.js'

const tags: Readonly<Record<KeyType, number>> = {
  bool: 1,
  int32: 2,
  int64: 3,
  timestamp: 4,
  date: 5,
  string: 6,
  bytes: 7,
}

/** Appends the key that stands in `row` of the columns. No slot may be null. */
export function appendKeyFromColumns(target: GrowingBytes, columns: readonly Column[], row: number): void {
  for (const column of columns) {
    appendTag(target, column.type as KeyType)
    switch (column.storage) {
      case 'bool':
        appendByte(target, column.values[row] as number)
        break
      case 'int32':
        appendInt32(target, column.values[row] as number)
        break
      case 'int64':
        appendInt64(target, column.values[row] as bigint)
        break
      case 'text':
        appendText(target, column.values[row] as string)
        break
      case 'bytes':
        appendBytes(target, column.values[row] as Uint8Array)
        break
      default:
        throw new TypeError(`a ${column.type} is no key`)
    }
  }
}

/** Appends a key of JavaScript values. Throws TypeError where one is not of its join key's type. */
export function appendKey(target: GrowingBytes, joinKeys: readonly JoinKey[], key: EntityKey): void {
  joinKeys.forEach((joinKey, index) => {
    appendTag(target, joinKey.valueType)
    appendValue(target, joinKey, key[index])
  })
}

function appendValue(target: GrowingBytes, joinKey: JoinKey, value: Value | undefined): void {
  switch (joinKey.valueType) {
    case 'bool':
      if (typeof value === 'boolean') return appendByte(target, value ? 1 : 0)
      break
    case 'int32':
      if (typeof value === 'number' && (value | 0) === value) return appendInt32(target, value)
      break
    case 'int64':
    case 'timestamp':
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return appendInt64(target, value)
      break
    case 'date': {
      const day = typeof value === 'string' ? parseDay(value) : undefined
      if (day !== undefined) return appendInt32(target, day)
      break
    }
    case 'string':
      if (typeof value === 'string') return appendText(target, value)
      break
    case 'bytes':
      if (value instanceof Uint8Array) return appendBytes(target, value)
      break
    default:
      return joinKey.valueType satisfies never
  }
  throw new TypeError(`join key ${joinKey.name} is no ${joinKey.valueType}`)
}

function appendTag(target: GrowingBytes, type: KeyType): void {
  appendByte(target, tags[type])
}

function appendByte(target: GrowingBytes, byte: number): void {
  target.reserve(1)
  target.bytes[target.length] = byte
  target.length += 1
}

function appendInt32(target: GrowingBytes, value: number): void {
  target.reserve(4)
  target.view.setInt32(target.length, value ^ 0x80_00_00_00)
  target.length += 4
}

function appendInt64(target: GrowingBytes, value: bigint): void {
  target.reserve(8)
  target.view.setBigInt64(target.length, value)
  target.bytes[target.length] = (target.bytes[target.length] as number) ^ 0x80
  target.length += 8
}

function appendText(target: GrowingBytes, text: string): void {
  // A code unit is at most three bytes, and each of them may be escaped.
  target.reserve(text.length * 6 + 2)
  const start = target.length
  target.length += target.bytes.write(text, start, 'utf8')
  if (text.includes('\0')) {
    const plain = Buffer.from(target.bytes.subarray(start, target.length))
    target.length = start
    return appendBytes(target, plain)
  }
  appendEnd(target)
}

function appendBytes(target: GrowingBytes, bytes: Uint8Array): void {
  target.reserve(bytes.length * 2 + 2)
  for (const byte of bytes) {
    target.bytes[target.length] = byte
    target.length += 1
    if (byte === 0) {
      target.bytes[target.length] = 0xff
      target.length += 1
    }
  }
  appendEnd(target)
}

function appendEnd(target: GrowingBytes): void {
  target.bytes[target.length] = 0
  target.bytes[target.length + 1] = 1
  target.length += 2
}
