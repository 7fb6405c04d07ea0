/**
 * Rows on their way through JavaScript: columns of typed arrays, a few thousand rows at a time, never an object per
 * row. Engines fill them, stores and output formats read them.
 */
import {formatDay} from './day.js'
import {typeParts, type Value, type ValueType} from './value-type.js'

interface ColumnOf<Storage extends string, Values> {
  readonly type: ValueType
  readonly storage: Storage
  /** One slot per row; the slot of a null holds anything. */
  readonly values: Values
  /** One byte per row, 1 where the value is null; absent when there is none. */
  readonly nulls?: Uint8Array
}

/**
 * By storage: `bool` 0 or 1; `int32` also days since 1970 (`date`); `int64` also epoch microseconds (`timestamp`);
 * `text` also `json` and `decimal` in plain notation; `list` with elements as `Value`.
 */
export type Column =
  | ColumnOf<'bool', Uint8Array>
  | ColumnOf<'int32', Int32Array>
  | ColumnOf<'int64', BigInt64Array>
  | ColumnOf<'float32', Float32Array>
  | ColumnOf<'float64', Float64Array>
  | ColumnOf<'text', readonly string[]>
  | ColumnOf<'bytes', readonly Uint8Array[]>
  | ColumnOf<'list', readonly (readonly (Value | null)[])[]>

/** How a column keeps values of a type. */
export function storageOf(type: ValueType): Column['storage'] {
  const parts = typeParts(type)
  switch (parts.kind) {
    case 'list':
      return 'list'
    case 'decimal':
      return 'text'
    case 'scalar':
      switch (parts.name) {
        case 'string':
        case 'json':
          return 'text'
        case 'timestamp':
          return 'int64'
        case 'date':
          return 'int32'
        case 'bytes':
        case 'bool':
        case 'int32':
        case 'int64':
        case 'float32':
        case 'float64':
          return parts.name
        default:
          return parts.name satisfies never
      }
    default:
      return parts satisfies never
  }
}

export interface ColumnBatch {
  readonly rowCount: number
  readonly names: readonly string[]
  readonly columns: readonly Column[]
}

/** The value in a slot as the SDK gives it (see `Value`). For edges, not for the hot path. */
export function valueAt(column: Column, row: number): Value | null {
  if (column.nulls !== undefined && column.nulls[row] === 1) return null
  switch (column.storage) {
    case 'bool':
      return column.values[row] === 1
    case 'int32':
      return column.type === 'date' ? formatDay(column.values[row] as number) : (column.values[row] as number)
    case 'int64':
    case 'float32':
    case 'float64':
    case 'text':
    case 'bytes':
    case 'list':
      return column.values[row] as Value
    default:
      return column satisfies never
  }
}
