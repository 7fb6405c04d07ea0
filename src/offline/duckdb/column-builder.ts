/**
 * Columns filled from the engine's vectors. The client's own accessors make an object for each value; typed arrays are
 * copied whole instead, which is some ten times faster.
 */
import type {DuckDBDataChunk, DuckDBVector} from '@duckdb/node-api'
import {storageOf, type Column} from '../../definitions/column-batch.js'
import {formatDay} from '../../definitions/day.js'
import {typeParts, type ScalarType, type Value, type ValueType} from '../../definitions/value-type.js'

/** What vectors of fixed width hold. Their types call it private; the client's version is pinned, and tests read every type. */
interface VectorInside {
  readonly items?: ArrayLike<number> | ArrayLike<bigint>
  readonly dataView?: DataView
  readonly validity: {readonly data: BigUint64Array | null}
}

type Storage = Column['storage']

/** Collects rows of one type for a batch of at most `capacity` rows. */
export class ColumnBuilder {
  readonly #type: ValueType
  readonly #storage: Storage
  readonly #capacity: number
  readonly #list: ScalarType | undefined
  #values: Column['values']
  #nulls: Uint8Array | undefined

  constructor(type: ValueType, capacity: number) {
    const parts = typeParts(type)
    this.#type = type
    this.#storage = storageOf(type)
    this.#capacity = capacity
    this.#list = parts.kind === 'list' ? parts.element : undefined
    this.#values = newValues(this.#storage, capacity)
  }

  /** Copies a vector's `count` values behind the `filled` that are there. */
  append(vector: DuckDBVector, count: number, filled: number): void {
    this.#appendNulls(vector, count, filled)
    const {items, dataView} = vector as unknown as VectorInside
    switch (this.#storage) {
      case 'int32':
      case 'int64':
      case 'float32':
      case 'float64':
        ;(this.#values as Float64Array).set(items as ArrayLike<number>, filled)
        return
      case 'bool':
        ;(this.#values as Uint8Array).set(bytesOf(dataView as DataView), filled)
        return
      case 'text':
        for (let row = 0; row < count; row += 1)
          (this.#values as string[])[filled + row] = (vector.getItem(row) as string | null) ?? ''
        return
      case 'bytes':
        for (let row = 0; row < count; row += 1)
          (this.#values as Uint8Array[])[filled + row] = plainBytes(vector.getItem(row))
        return
      case 'list':
        for (let row = 0; row < count; row += 1) {
          const list = vector.getItem(row) as {readonly items: readonly unknown[]} | null
          ;(this.#values as (readonly (Value | null)[])[])[filled + row] = (list?.items ?? []).map((item) =>
            elementValue(item, this.#list as ScalarType),
          )
        }
        return
      default:
        this.#storage satisfies never
    }
  }

  /** The column of the first `rowCount` rows. */
  take(rowCount: number): Column {
    const values = this.#capacity === rowCount ? this.#values : this.#values.slice(0, rowCount)
    return {
      type: this.#type,
      storage: this.#storage,
      values,
      ...(this.#nulls === undefined ? {} : {nulls: this.#nulls.subarray(0, rowCount)}),
    } as Column
  }

  #appendNulls(vector: DuckDBVector, count: number, filled: number): void {
    const {data} = (vector as unknown as VectorInside).validity
    if (data === null) return
    const valid = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    for (let row = 0; row < count; row += 1) {
      if (((valid[row >> 3] as number) & (1 << (row & 7))) !== 0) continue
      this.#nulls ??= new Uint8Array(this.#capacity)
      this.#nulls[filled + row] = 1
    }
  }
}

/** Gathers small chunks of the engine to batches of `batchRows` rows, but for the last. */
export async function* columnBatches(
  chunks: AsyncIterable<DuckDBDataChunk>,
  types: readonly ValueType[],
  batchRows: number,
): AsyncGenerator<{readonly rowCount: number; readonly columns: readonly Column[]}, void, undefined> {
  // A chunk holds at most 2,048 rows: https://duckdb.org/docs/stable/internals/vector
  const capacity = Math.max(1, Math.round(batchRows / 2048)) * 2048
  const newBuilders = (): ColumnBuilder[] => types.map((type) => new ColumnBuilder(type, capacity))
  let builders = newBuilders()
  let filled = 0
  for await (const chunk of chunks) {
    if (filled + chunk.rowCount > capacity) {
      yield {rowCount: filled, columns: builders.map((builder) => builder.take(filled))}
      builders = newBuilders()
      filled = 0
    }
    builders.forEach((builder, index) => builder.append(chunk.getColumnVector(index), chunk.rowCount, filled))
    filled += chunk.rowCount
  }
  if (filled > 0) yield {rowCount: filled, columns: builders.map((builder) => builder.take(filled))}
}

const emptyBytes = new Uint8Array()

function newValues(storage: Storage, capacity: number): Column['values'] {
  switch (storage) {
    case 'bool':
      return new Uint8Array(capacity)
    case 'int32':
      return new Int32Array(capacity)
    case 'int64':
      return new BigInt64Array(capacity)
    case 'float32':
      return new Float32Array(capacity)
    case 'float64':
      return new Float64Array(capacity)
    case 'text':
      return new Array<string>(capacity)
    case 'bytes':
      return new Array<Uint8Array>(capacity)
    case 'list':
      return new Array<readonly (Value | null)[]>(capacity)
    default:
      return storage satisfies never
  }
}

/** Without the methods of a `Buffer`, which are not what a `Uint8Array` promises. */
function plainBytes(item: unknown): Uint8Array {
  if (item === null) return emptyBytes
  const {buffer, byteOffset, byteLength} = (item as {readonly bytes: Uint8Array}).bytes
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function bytesOf({buffer, byteOffset, byteLength}: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** An element as the client gives it, as a `Value`. */
function elementValue(item: unknown, type: ScalarType): Value | null {
  if (item === null) return null
  switch (type) {
    case 'timestamp':
      return (item as {readonly micros: bigint}).micros
    case 'date':
      return formatDay((item as {readonly days: number}).days)
    case 'bytes':
      return plainBytes(item)
    default:
      return item as Value
  }
}
