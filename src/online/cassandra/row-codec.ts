/** Rows as parameters of statements, and as results. */
import cassandra, {type types} from 'cassandra-driver'
import type {Column} from '../../definitions/column-batch.js'
import type {Field} from '../../definitions/definition.js'
import type {Value} from '../../definitions/value-type.js'
import type {OnlineRow, OnlineRows, OnlineTable} from '../online-store.js'
import {
  decodeValue,
  encodeCollection,
  encodeInt32,
  encodeInt64,
  encodeSlot,
  encodeValue,
  nullElementsOf,
  withNullElements,
} from './cql-values.js'

/** A cell that is left out costs nothing; a null would be a tombstone. */
type Cell = Buffer | typeof cassandra.types.unset
const {unset} = cassandra.types

export function encodeKeys({keys}: Pick<OnlineRows, 'keys'>, row: number): Buffer[] {
  return keys.map((column) => encodeSlot(column, row))
}

/** Event time, created time, null elements, features: the columns after the version. */
export function encodeCells(table: OnlineTable, rows: OnlineRows, row: number): Cell[] {
  const {eventTimestamps, createdTimestamps, features} = rows
  const cells: Cell[] = [
    encodeInt64(eventTimestamps.values[row] as bigint),
    isNull(createdTimestamps, row) ? unset : encodeInt64(createdTimestamps.values[row] as bigint),
    encodeNullElements(table, rows, row) ?? unset,
  ]
  for (const column of features) cells.push(isNull(column, row) ? unset : encodeSlot(column, row))
  return cells
}

function encodeNullElements(table: OnlineTable, {features}: OnlineRows, row: number): Buffer | undefined {
  let entries: Buffer[] | undefined
  for (let index = 0; index < features.length; index += 1) {
    const column = features[index] as Column
    if (column.storage !== 'list' || isNull(column, row)) continue
    const places = nullElementsOf(column.values[row] ?? [])
    if (places === undefined) continue
    entries ??= []
    const {name} = table.features[index] as Field
    entries.push(Buffer.from(name), encodeCollection(places.map(encodeInt32)))
  }
  return entries && encodeCollection(entries, entries.length / 2)
}

/** A decoder of rows that were read with these columns: features in the order wanted. */
export function rowDecoder(table: OnlineTable, features: readonly string[]): RowDecoder {
  const fields = features.map((name) => {
    const field = table.features.find((one) => one.name === name)
    if (field === undefined) throw new Error(`feature_view/${table.view} has no feature ${name}`)
    return field
  })
  const hasLists = fields.some(({valueType}) => valueType.startsWith('list<'))
  const columns = ['event_timestamp', ...(hasLists ? ['null_elements'] : []), ...features]
  return {
    columns,
    decode: (row) => ({
      eventTimestamp: row['event_timestamp'] as bigint,
      values: fields.map((field) => decodeCell(field, row)),
    }),
  }
}

export interface RowDecoder {
  /** What has to be selected. */
  readonly columns: readonly string[]
  decode(row: types.Row): OnlineRow
}

/** Whether a row that was read holds the same features as cells that are to be written. */
export function holdsSameCells(table: OnlineTable, row: OnlineRow, rows: OnlineRows, at: number): boolean {
  return table.features.every(({valueType}, index) => {
    const column = rows.features[index] as Column
    const found = row.values[index] ?? null
    if (found === null || isNull(column, at)) return found === null && isNull(column, at)
    if (column.storage !== 'list')
      return encodeValue(valueType as never, found).equals(encodeSlot(column, at))
    const [a, b] = [found as readonly (Value | null)[], column.values[at] as readonly (Value | null)[]]
    return (
      String(nullElementsOf(a)) === String(nullElementsOf(b)) &&
      encodeSlot({type: valueType, storage: 'list', values: [a]}, 0).equals(encodeSlot(column, at))
    )
  })
}

function decodeCell({name, valueType}: Field, row: types.Row): Value | null {
  const value: unknown = row[name]
  if (value === null || value === undefined) return null
  const decoded = decodeValue(valueType, value)
  if (!Array.isArray(decoded)) return decoded
  const places = (row['null_elements'] as Readonly<Record<string, readonly number[]>> | null)?.[name]
  return places === undefined ? decoded : withNullElements(decoded as readonly (Value | null)[], places)
}

function isNull(column: Column, row: number): boolean {
  return column.nulls?.[row] === 1
}
