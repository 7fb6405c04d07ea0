/**
 * A row of feature values as bytes, the same in every store that keeps packed rows:
 *
 *   0      version of this layout
 *   1      flags: 1 = has a created timestamp
 *   2..5   id of the schema it was written with, little-endian like all that follows
 *   6..13  event timestamp, microseconds
 *   14..21 created timestamp, microseconds; 0 without one
 *   22..   one bit for each feature, set where it is null
 *   then   a slot for each feature: 1, 4 or 8 bytes; for values of any length (u32 offset, u32 length)
 *   then   those values
 *
 * A row is read by the schema it was written with, which its store keeps by id, so that a reader never misreads rows
 * from before a change: a feature that the schema lacks is null.
 */
import type {Column} from '../definitions/column-batch.js'
import {formatDay} from '../definitions/day.js'
import type {Field} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import {typeParts, type Value, type ValueType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import {dataViewOf} from './data-view.js'
import {decodeList, encodeList} from './list-codec.js'
import {decodeFixed, slotBytes, slotOf, type Slot} from './value-slot.js'
import type {OnlineRow, OnlineRows} from './online-store.js'

const layoutVersion = 1
const schemaAt = 2
const eventAt = 6
const createdAt = 14
const headerBytes = 22

interface SlotLayout {
  readonly slot: Slot
  readonly offset: number
  readonly type: ValueType
}

interface RowLayout {
  readonly slots: readonly SlotLayout[]
  /** Where values of any length begin. */
  readonly fixedEnd: number
}

function layoutOf(features: readonly Pick<Field, 'valueType'>[]): RowLayout {
  let offset = headerBytes + Math.ceil(features.length / 8)
  const slots = features.map(({valueType}) => {
    const slot = slotOf(valueType)
    const layout = {slot, offset, type: valueType}
    offset += slotBytes[slot]
    return layout
  })
  return {slots, fixedEnd: offset}
}

/** Writes rows of one schema, one after the other, into a buffer that it uses again. */
export class RowEncoder {
  readonly #layout: RowLayout
  readonly #schemaId: number
  #buffer = Buffer.allocUnsafe(1024)
  #view = dataViewOf(this.#buffer)
  #end = 0

  constructor(schemaId: number, features: readonly Pick<Field, 'valueType'>[]) {
    this.#schemaId = schemaId
    this.#layout = layoutOf(features)
  }

  /** The bytes of one row; they hold until the next call. */
  encode(rows: OnlineRows, row: number): Buffer {
    const {slots, fixedEnd} = this.#layout
    this.#end = fixedEnd
    this.#reserve(0)
    const {createdTimestamps} = rows
    const hasCreated = createdTimestamps.nulls?.[row] !== 1
    const view = this.#view
    view.setUint8(0, layoutVersion)
    view.setUint8(1, hasCreated ? 1 : 0)
    view.setUint32(schemaAt, this.#schemaId, true)
    view.setBigInt64(eventAt, rows.eventTimestamps.values[row] as bigint, true)
    view.setBigInt64(createdAt, hasCreated ? (createdTimestamps.values[row] as bigint) : 0n, true)
    this.#buffer.fill(0, headerBytes, fixedEnd)
    for (let index = 0; index < slots.length; index += 1) {
      const column = rows.features[index] as Column
      if (column.nulls?.[row] === 1) this.#setNull(index)
      else this.#encodeSlot((slots[index] as SlotLayout).offset, column, row)
    }
    return this.#buffer.subarray(0, this.#end)
  }

  #setNull(index: number): void {
    const at = headerBytes + (index >> 3)
    this.#buffer[at] = (this.#buffer[at] as number) | (1 << (index & 7))
  }

  #encodeSlot(offset: number, column: Column, row: number): void {
    const view = this.#view
    switch (column.storage) {
      case 'bool':
        view.setUint8(offset, column.values[row] as number)
        return
      case 'int32':
        view.setInt32(offset, column.values[row] as number, true)
        return
      case 'int64':
        view.setBigInt64(offset, column.values[row] as bigint, true)
        return
      case 'float32':
        view.setFloat32(offset, column.values[row] as number, true)
        return
      case 'float64':
        view.setFloat64(offset, column.values[row] as number, true)
        return
      case 'text':
        this.#appendText(offset, column.values[row] as string)
        return
      case 'bytes':
        this.#append(offset, column.values[row] as Uint8Array)
        return
      case 'list': {
        const parts = typeParts(column.type)
        const element = parts.kind === 'list' ? parts.element : 'string'
        this.#append(offset, encodeList(element, column.values[row] as readonly (Value | null)[]))
        return
      }
      default:
        column satisfies never
    }
  }

  #appendText(offset: number, text: string): void {
    this.#reserve(text.length * 3)
    const length = this.#buffer.write(text, this.#end, 'utf8')
    this.#point(offset, length)
  }

  #append(offset: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#point(offset, bytes.length)
  }

  #point(offset: number, length: number): void {
    this.#buffer.writeUInt32LE(this.#end, offset)
    this.#buffer.writeUInt32LE(length, offset + 4)
    this.#end += length
  }

  #reserve(count: number): void {
    const wanted = this.#end + count
    if (wanted <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2))
    this.#buffer.copy(larger)
    this.#buffer = larger
    this.#view = dataViewOf(larger)
  }
}

/** Reads wanted features of rows that were written with one schema. */
export class RowDecoder {
  readonly #slots: readonly (
    (SlotLayout & {readonly nullByte: number; readonly nullBit: number}) | undefined
  )[]
  readonly #fixedEnd: number
  /** Rows often lie in the same memory: a store lends one buffer each time, a reply of a server is one buffer. */
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** `written` is the schema of the rows; `wanted` names features in the order of the answer. */
  constructor(written: readonly Pick<Field, 'name' | 'valueType'>[], wanted: readonly string[]) {
    const {slots, fixedEnd} = layoutOf(written)
    this.#fixedEnd = fixedEnd
    this.#slots = wanted.map((name) => {
      const index = written.findIndex((field) => field.name === name)
      const slot = slots[index]
      if (slot === undefined) return undefined
      return {...slot, nullByte: headerBytes + (index >> 3), nullBit: 1 << (index & 7)}
    })
  }

  /** `bytes` may be overwritten afterwards: nothing of it is kept. Throws RangeError for a row that was cut short. */
  decode(bytes: Buffer): OnlineRow {
    // What follows in the same memory is another row.
    if (bytes.length < this.#fixedEnd) throw new RangeError('a row ends before its values')
    if (bytes.buffer !== this.#view.buffer) this.#view = new DataView(bytes.buffer)
    const view = this.#view
    const start = bytes.byteOffset
    const slots = this.#slots
    const values = new Array<Value | null>(slots.length)
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index]
      const isNull = slot === undefined || ((bytes[slot.nullByte] as number) & slot.nullBit) !== 0
      values[index] = isNull ? null : decodeSlot(bytes, view, start, slot)
    }
    return {eventTimestamp: view.getBigInt64(start + eventAt, true), values}
  }
}

/** Decoders by the schema and the list of wanted names, both by identity: such a list must not change once it was used. */
export class DecoderCache {
  readonly #bySchema = new WeakMap<object, WeakMap<object, RowDecoder>>()

  get(written: readonly Pick<Field, 'name' | 'valueType'>[], wanted: readonly string[]): RowDecoder {
    let byNames = this.#bySchema.get(written)
    if (byNames === undefined) this.#bySchema.set(written, (byNames = new WeakMap()))
    let decoder = byNames.get(wanted)
    if (decoder === undefined) byNames.set(wanted, (decoder = new RowDecoder(written, wanted)))
    return decoder
  }
}

/** `view` is of the memory in which the bytes begin at `start`. */
function decodeSlot(bytes: Buffer, view: DataView, start: number, {slot, offset, type}: SlotLayout): Value {
  switch (slot) {
    case 'bool':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
      return decodeFixed(view, start + offset, slot)
    case 'date':
      return formatDay(view.getInt32(start + offset, true))
    case 'text': {
      const [from, to] = spanOf(bytes, offset)
      return bytes.toString('utf8', from, to)
    }
    case 'bytes': {
      const [from, to] = spanOf(bytes, offset)
      return Uint8Array.from(bytes.subarray(from, to))
    }
    case 'list': {
      const [from, to] = spanOf(bytes, offset)
      const parts = typeParts(type)
      const element = parts.kind === 'list' ? parts.element : 'string'
      return decodeList(element, bytes.subarray(from, to))
    }
    default:
      return slot satisfies never
  }
}

/** Where a value of any length lies. */
function spanOf(bytes: Buffer, offset: number): readonly [from: number, to: number] {
  const from = bytes.readUInt32LE(offset)
  const to = from + bytes.readUInt32LE(offset + 4)
  if (to > bytes.length) throw new RangeError('a row ends before its values')
  return [from, to]
}

/** Whether the bytes are long enough to be a row; others were not written by a store of ours. */
export function isRow(bytes: Buffer): boolean {
  return bytes.length >= headerBytes
}

/** Throws FS_STORE_UNAVAILABLE for a row of another release. */
export function readSchemaId(bytes: Buffer): number {
  if (bytes[0] !== layoutVersion) {
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `A row online has layout ${bytes[0] ?? 'none'}; this release reads layout ${layoutVersion}.`,
      {hint: 'Use the release that wrote it, or run `fs teardown`, `fs apply` and load again.'},
    )
  }
  return bytes.readUInt32LE(schemaAt)
}

export function readEventTimestamp(bytes: Buffer): Instant {
  return bytes.readBigInt64LE(eventAt)
}

/**
 * Whether `candidate` may take the place of `stored`: it is not older by (event timestamp, created timestamp), where no
 * created timestamp is older than any.
 */
export function mayReplace(candidate: Buffer, stored: Buffer): boolean {
  const event = compareInt64(candidate, stored, eventAt)
  if (event !== 0) return event > 0
  const hasCreated = ((candidate[1] as number) & 1) - ((stored[1] as number) & 1)
  if (hasCreated !== 0) return hasCreated > 0
  return compareInt64(candidate, stored, createdAt) >= 0
}

/** Whether a stored row is no newer than the times that stand in `row`. */
export function isAsOldAs(
  stored: Buffer,
  {eventTimestamps, createdTimestamps}: Pick<OnlineRows, 'eventTimestamps' | 'createdTimestamps'>,
  row: number,
): boolean {
  const event = stored.readBigInt64LE(eventAt)
  const other = eventTimestamps.values[row] as bigint
  if (event !== other) return event < other
  if (((stored[1] as number) & 1) === 0) return true
  return (
    createdTimestamps.nulls?.[row] !== 1 &&
    stored.readBigInt64LE(createdAt) <= (createdTimestamps.values[row] as bigint)
  )
}

/** Compares without a bigint for each row: the high half is signed, the low half is not. */
function compareInt64(a: Buffer, b: Buffer, offset: number): number {
  return (
    a.readInt32LE(offset + 4) - b.readInt32LE(offset + 4) || a.readUInt32LE(offset) - b.readUInt32LE(offset)
  )
}
