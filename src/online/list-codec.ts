/** Lists of scalars as bytes, within packed rows. */
import type {ScalarType, Value} from '../definitions/value-type.js'
import {dataViewOf} from './data-view.js'
import {decodeFixed, slotBytes, slotOf} from './value-slot.js'

/** u32 count, then for each element one byte (0 = null) and its value: 1, 4 or 8 bytes, or u32 length and bytes. */
export function encodeList(element: ScalarType, values: readonly (Value | null)[]): Buffer {
  const count = Buffer.allocUnsafe(4)
  count.writeUInt32LE(values.length)
  return Buffer.concat([count, ...values.map((value) => encodeElement(element, value))])
}

function encodeElement(element: ScalarType, value: Value | null): Buffer {
  if (value === null) return Buffer.from([0])
  const slot = slotOf(element)
  const bytes = Buffer.alloc(1 + slotBytes[slot])
  bytes[0] = 1
  switch (slot) {
    case 'bool':
      bytes[1] = value === true ? 1 : 0
      return bytes
    case 'int32':
      bytes.writeInt32LE(value as number, 1)
      return bytes
    case 'int64':
      bytes.writeBigInt64LE(value as bigint, 1)
      return bytes
    case 'float32':
      bytes.writeFloatLE(value as number, 1)
      return bytes
    case 'float64':
      bytes.writeDoubleLE(value as number, 1)
      return bytes
    case 'date':
    case 'text':
    case 'bytes': {
      const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array)
      const head = Buffer.alloc(5)
      head[0] = 1
      head.writeUInt32LE(content.length, 1)
      return Buffer.concat([head, content])
    }
    case 'list':
      throw new TypeError('a list of lists is no value type')
    default:
      return slot satisfies never
  }
}

/** The inverse of `encodeList`. */
export function decodeList(element: ScalarType, bytes: Buffer): readonly (Value | null)[] {
  const slot = slotOf(element)
  const view = dataViewOf(bytes)
  const values: (Value | null)[] = []
  let offset = 4
  for (let left = bytes.readUInt32LE(0); left > 0; left -= 1) {
    const present = bytes[offset] === 1
    offset += 1
    if (!present) {
      values.push(null)
      continue
    }
    switch (slot) {
      case 'bool':
      case 'int32':
      case 'int64':
      case 'float32':
      case 'float64':
        values.push(decodeFixed(view, offset, slot))
        offset += slotBytes[slot]
        break
      case 'date':
      case 'text':
      case 'bytes': {
        const start = offset + 4
        const end = start + bytes.readUInt32LE(offset)
        values.push(
          slot === 'bytes' ? Uint8Array.from(bytes.subarray(start, end)) : bytes.toString('utf8', start, end),
        )
        offset = end
        break
      }
      case 'list':
        throw new TypeError('a list of lists is no value type')
      default:
        slot satisfies never
    }
  }
  return values
}
