/** How values of each type lie in packed rows. */
import {storageOf, type Column} from '../definitions/column-batch.js'
import type {ValueType} from '../definitions/value-type.js'

export type Slot = Column['storage'] | 'date'

/** Values of one length, little-endian. */
export type FixedSlot = 'bool' | 'int32' | 'int64' | 'float32' | 'float64'

/** What a value takes in the fixed part of a row; values of any length have an offset and a length there. */
export const slotBytes: Readonly<Record<Slot, number>> = {
  bool: 1,
  int32: 4,
  date: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  text: 8,
  bytes: 8,
  list: 8,
}

/** A date as an element of a list is text, so it keeps its name. */
export function slotOf(type: ValueType): Slot {
  return type === 'date' ? 'date' : storageOf(type)
}

/** The value that begins at a place of the view. */
export function decodeFixed(view: DataView, at: number, slot: FixedSlot): boolean | number | bigint {
  switch (slot) {
    case 'bool':
      return view.getUint8(at) === 1
    case 'int32':
      return view.getInt32(at, true)
    case 'int64':
      return view.getBigInt64(at, true)
    case 'float32':
      return view.getFloat32(at, true)
    case 'float64':
      return view.getFloat64(at, true)
    default:
      return slot satisfies never
  }
}
