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
import {GrowingBytes} from './growing-bytes.js'
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

/** Writes rows of one schema. */
export class RowEncoder {
  readonly #schemaId: number
  /** Where the bits of nulls end. */
  readonly #slotsAt: number
  readonly #fixedEnd: number
  readonly #features: readonly {
    readonly offset: number
    readonly column: Column
    readonly halves: Int32Array
  }[]
  readonly #events: Int32Array
  readonly #created: OnlineRows['createdTimestamps']
  readonly #createdHalves: Int32Array
  readonly #own = new GrowingBytes(1024)

  /** `features` are those of the rows. */
  constructor(schemaId: number, features: readonly Pick<Field, 'valueType'>[], rows: OnlineRows) {
    const {slots, fixedEnd} = layoutOf(features)
    this.#schemaId = schemaId
    this.#slotsAt = slots[0]?.offset ?? fixedEnd
    this.#fixedEnd = fixedEnd
    this.#features = slots.map(({offset}, index) => {
      const column = rows.features[index] as Column
      return {offset, column, halves: column.storage === 'int64' ? halvesOf(column.values) : noHalves}
    })
    this.#events = halvesOf(rows.eventTimestamps.values)
    this.#created = rows.createdTimestamps
    this.#createdHalves = halvesOf(rows.createdTimestamps.values)
  }

  /** The bytes of one row; they hold until the next call. */
  encode(row: number): Buffer {
    this.#own.length = 0
    this.appendTo(this.#own, row)
    return this.#own.written
  }

  /** Writes one row behind what is written already. */
  appendTo(target: GrowingBytes, row: number): void {
    const start = target.length
    target.reserve(this.#fixedEnd)
    target.length = start + this.#fixedEnd
    const {bytes, view} = target
    const hasCreated = this.#created.nulls?.[row] !== 1
    bytes[start] = layoutVersion
    bytes[start + 1] = hasCreated ? 1 : 0
    view.setUint32(start + schemaAt, this.#schemaId, true)
    setHalves(view, start + eventAt, this.#events, row)
    if (hasCreated) setHalves(view, start + createdAt, this.#createdHalves, row)
    else setHalves(view, start + createdAt, noHalves, 0)
    const features = this.#features
    // No value is null yet.
    for (let at = start + headerBytes; at < start + this.#slotsAt; at += 1) bytes[at] = 0
    for (let index = 0; index < features.length; index += 1) {
      const {column, offset, halves} = features[index] as (typeof features)[number]
      if (column.nulls?.[row] === 1) {
        setNull(target.bytes, start, index)
        target.bytes.fill(0, start + offset, start + (features[index + 1]?.offset ?? this.#fixedEnd))
      } else if (column.storage === 'int64') setHalves(target.view, start + offset, halves, row)
      else encodeSlot(target, start, offset, column, row)
    }
  }
}

/**
 * Integers of 64 bits as pairs of 32, the low ones first as on every machine that Node has a release for: no bigint is
 * made for each value.
 */
function halvesOf({buffer, byteOffset, length}: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length * 2)
}

/** Of the number 0. */
const noHalves = new Int32Array(2)

function setHalves(view: DataView, at: number, halves: Int32Array, row: number): void {
  view.setInt32(at, halves[row * 2] as number, true)
  view.setInt32(at + 4, halves[row * 2 + 1] as number, true)
}

function setNull(bytes: Buffer, start: number, index: number): void {
  const at = start + headerBytes + (index >> 3)
  bytes[at] = (bytes[at] as number) | (1 << (index & 7))
}

/** Writes a value into its slot of the row that begins at `start`; one of any length behind the row. */
function encodeSlot(
  target: GrowingBytes,
  start: number,
  offset: number,
  column: Exclude<Column, {readonly storage: 'int64'}>,
  row: number,
): void {
  const {view} = target
  switch (column.storage) {
    case 'bool':
      view.setUint8(start + offset, column.values[row] as number)
      return
    case 'int32':
      view.setInt32(start + offset, column.values[row] as number, true)
      return
    case 'float32':
      view.setFloat32(start + offset, column.values[row] as number, true)
      return
    case 'float64':
      view.setFloat64(start + offset, column.values[row] as number, true)
      return
    case 'text': {
      const text = column.values[row] as string
      const from = target.length
      target.reserve(text.length * 3)
      target.length += target.bytes.write(text, from, 'utf8')
      point(target, start, offset, from)
      return
    }
    case 'bytes':
      appendValue(target, start, offset, column.values[row] as Uint8Array)
      return
    case 'list': {
      const parts = typeParts(column.type)
      const element = parts.kind === 'list' ? parts.element : 'string'
      appendValue(target, start, offset, encodeList(element, column.values[row] as readonly (Value | null)[]))
      return
    }
    default:
      column satisfies never
  }
}

function appendValue(target: GrowingBytes, start: number, offset: number, bytes: Uint8Array): void {
  const from = target.length
  target.append(bytes)
  point(target, start, offset, from)
}

/** The value that was written from `from` on. */
function point({view, length}: GrowingBytes, start: number, offset: number, from: number): void {
  view.setUint32(start + offset, from - start, true)
  view.setUint32(start + offset + 4, length - from, true)
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
