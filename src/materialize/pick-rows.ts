import type {Column} from '../definitions/column-batch.js'
import type {OnlineRows} from '../online/online-store.js'

/** Some rows of a batch, in the order given. For the rare batch with rows that can't be written. */
export function pickRows(rows: OnlineRows, wanted: readonly number[]): OnlineRows {
  return {
    rowCount: wanted.length,
    keys: rows.keys.map((column) => pick(column, wanted)),
    eventTimestamps: pick(rows.eventTimestamps, wanted) as OnlineRows['eventTimestamps'],
    createdTimestamps: pick(rows.createdTimestamps, wanted) as OnlineRows['createdTimestamps'],
    features: rows.features.map((column) => pick(column, wanted)),
  }
}

function pick(column: Column, rows: readonly number[]): Column {
  const {type, nulls} = column
  const common = {
    type,
    ...(nulls === undefined ? {} : {nulls: Uint8Array.from(rows, (row) => nulls[row] ?? 0)}),
  }
  switch (column.storage) {
    case 'bool':
      return {
        ...common,
        storage: 'bool',
        values: Uint8Array.from(rows, (row) => column.values[row] as number),
      }
    case 'int32':
      return {
        ...common,
        storage: 'int32',
        values: Int32Array.from(rows, (row) => column.values[row] as number),
      }
    case 'int64':
      return {
        ...common,
        storage: 'int64',
        values: BigInt64Array.from(rows, (row) => column.values[row] as bigint),
      }
    case 'float32':
      return {
        ...common,
        storage: 'float32',
        values: Float32Array.from(rows, (row) => column.values[row] as number),
      }
    case 'float64':
      return {
        ...common,
        storage: 'float64',
        values: Float64Array.from(rows, (row) => column.values[row] as number),
      }
    case 'text':
      return {...common, storage: 'text', values: rows.map((row) => column.values[row] as string)}
    case 'bytes':
      return {...common, storage: 'bytes', values: rows.map((row) => column.values[row] as Uint8Array)}
    case 'list':
      return {...common, storage: 'list', values: rows.map((row) => column.values[row] ?? [])}
    default:
      return column satisfies never
  }
}
