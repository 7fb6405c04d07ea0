import type {Column} from '../../src/definitions/column-batch.js'
import type {Field, JoinKey} from '../../src/definitions/definition.js'
import type {Value, ValueType} from '../../src/definitions/value-type.js'
import type {OnlineRows, OnlineTable} from '../../src/online/online-store.js'

/** A row as the tests write it. */
export interface TestRow {
  readonly key: readonly Value[]
  readonly event: bigint
  readonly created: bigint | null
  readonly values: readonly (Value | null)[]
}

export function onlineTable(
  view: string,
  keys: Readonly<Record<string, JoinKey['valueType']>>,
  features: Readonly<Record<string, ValueType>>,
  name = view,
): OnlineTable {
  return {
    view,
    name,
    joinKeys: Object.entries(keys).map(([key, valueType]) => ({name: key, valueType})),
    features: Object.entries(features).map(([feature, valueType]): Field => ({name: feature, valueType})),
  }
}

/** Rows as the columns that engines hand over. */
export function onlineRows(table: OnlineTable, rows: readonly TestRow[]): OnlineRows {
  const times = (values: readonly (bigint | null)[]) =>
    columnOf('timestamp', values) as OnlineRows['eventTimestamps']
  return {
    rowCount: rows.length,
    keys: table.joinKeys.map((key, index) =>
      columnOf(
        key.valueType,
        rows.map((row) => row.key[index] ?? null),
      ),
    ),
    eventTimestamps: times(rows.map((row) => row.event)),
    createdTimestamps: times(rows.map((row) => row.created)),
    features: table.features.map((feature, index) =>
      columnOf(
        feature.valueType,
        rows.map((row) => row.values[index] ?? null),
      ),
    ),
  }
}

export function columnOf(type: ValueType, values: readonly (Value | null)[]): Column {
  const nulls = Uint8Array.from(values, (value) => (value === null ? 1 : 0))
  if (type.startsWith('list<')) {
    return {type, storage: 'list', values: values.map((value) => (value ?? []) as (Value | null)[]), nulls}
  }
  if (type.startsWith('decimal') || type === 'string' || type === 'json') {
    return {type, storage: 'text', values: values.map((value) => (value ?? '') as string), nulls}
  }
  switch (type) {
    case 'bool':
      return {
        type,
        storage: 'bool',
        values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)),
        nulls,
      }
    case 'int32':
      return {type, storage: 'int32', values: Int32Array.from(values, (value) => Number(value ?? 0)), nulls}
    case 'date':
      return {
        type,
        storage: 'int32',
        values: Int32Array.from(
          values,
          (value) => Date.parse(`${String(value ?? '1970-01-01')}T00:00:00Z`) / 86_400_000,
        ),
        nulls,
      }
    case 'int64':
    case 'timestamp':
      return {
        type,
        storage: 'int64',
        values: BigInt64Array.from(values, (value) => (value ?? 0n) as bigint),
        nulls,
      }
    case 'float32':
      return {
        type,
        storage: 'float32',
        values: Float32Array.from(values, (value) => Number(value ?? 0)),
        nulls,
      }
    case 'float64':
      return {
        type,
        storage: 'float64',
        values: Float64Array.from(values, (value) => Number(value ?? 0)),
        nulls,
      }
    case 'bytes':
      return {
        type,
        storage: 'bytes',
        values: values.map((value) => (value ?? new Uint8Array()) as Uint8Array),
        nulls,
      }
    default:
      throw new Error(`no column of ${type}`)
  }
}
