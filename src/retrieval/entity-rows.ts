import type {EntityRows, TypedColumn} from '../compile/query.js'
import type {EntityRecord} from '../definitions/typed-repo.js'
import type {KeyType, Value, ValueType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import {readInstantValue, readKeyValue, showGiven} from './key-value.js'

export interface EntityRowTypes {
  /** Columns of join keys, with the types that entities declare. */
  readonly keyTypes: ReadonlyMap<string, KeyType>
  readonly timestampColumn: string
}

/**
 * Entity rows from records of JavaScript, in order, all columns kept. Keys get the types of their entities, the event
 * timestamp is an instant, other columns are what their values are: bigint int64, number float64, string, boolean bool,
 * `Uint8Array` bytes, `Date` timestamp, only nulls string. Throws FS_ENTITY_ROWS_INVALID or FS_ENTITY_KEY_INVALID with
 * row and column.
 */
export function entityRowsFromRecords(
  records: readonly EntityRecord[],
  types: EntityRowTypes,
): Extract<EntityRows, {kind: 'values'}> {
  const names = columnNames(records)
  checkNeededColumns(names, types)
  const columns = names.map((name) => readColumn(records, name, types))
  return {
    kind: 'values',
    columns: columns.map(({column}) => column),
    rows: records.map((_, row) => columns.map(({values}) => values[row] as Value | null)),
  }
}

interface ColumnOfRecords {
  readonly column: TypedColumn
  readonly values: readonly (Value | null)[]
}

/** In the order in which they first appear. */
function columnNames(records: readonly EntityRecord[]): readonly string[] {
  const given: unknown = records
  if (!Array.isArray(given))
    throw rowsInvalid(`Entity rows are a list of records, and this is ${showGiven(given)}.`)
  if (given.length === 0) throw rowsInvalid('There are no entity rows: the list is empty.')
  const names = new Map<string, string>()
  given.forEach((record: unknown, row) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw rowsInvalid(`entities[${row}] is ${showGiven(record)}. Expected a record of columns.`)
    }
    for (const name of Object.keys(record)) {
      const other = names.get(name.toLowerCase())
      if (other === undefined) names.set(name.toLowerCase(), name)
      else if (other !== name) {
        throw rowsInvalid(`Columns \`${other}\` and \`${name}\` of the entity rows differ only in case.`)
      }
    }
  })
  return [...names.values()]
}

function checkNeededColumns(names: readonly string[], {keyTypes, timestampColumn}: EntityRowTypes): void {
  const missing = [timestampColumn, ...keyTypes.keys()].filter((name) => !names.includes(name))
  if (missing.length === 0) return
  throw rowsInvalid(
    `The entity rows have no column ${missing.map((name) => `\`${name}\``).join(' and no ')}. Their columns: ${names.join(', ')}.`,
  )
}

function readColumn(
  records: readonly EntityRecord[],
  name: string,
  {keyTypes, timestampColumn}: EntityRowTypes,
): ColumnOfRecords {
  const given = records.map((record): unknown => (Object.hasOwn(record, name) ? record[name] : undefined))
  if (name === timestampColumn) {
    return {
      column: {name, valueType: 'timestamp'},
      values: given.map((value, row) => readTime(value, name, row)),
    }
  }
  const keyType = keyTypes.get(name)
  if (keyType !== undefined) {
    return {
      column: {name, valueType: keyType},
      values: given.map((value, row) => readKey(value, keyType, name, row)),
    }
  }
  const valueType = inferType(given, name)
  return {column: {name, valueType}, values: given.map((value) => toValue(value))}
}

function readTime(value: unknown, name: string, row: number): bigint {
  const instant = readInstantValue(value)
  if (instant !== undefined) return instant
  throw new FeatureStoreError(
    'FS_ENTITY_ROWS_INVALID',
    `entities[${row}]: \`${name}\` is ${showGiven(value)}. Expected the time of the row.`,
    {hint: 'Write an ISO time such as 2024-05-01T12:30:00Z, a Date, or microseconds since 1970 as a bigint.'},
  )
}

/** A null key is kept: its row gets null features. */
function readKey(value: unknown, type: KeyType, name: string, row: number): Value | null {
  if (value === null) return null
  const key = readKeyValue(value, type)
  if (key !== undefined) return key
  throw new FeatureStoreError(
    'FS_ENTITY_KEY_INVALID',
    value === undefined
      ? `entities[${row}] has no \`${name}\`. Expected a value of type ${type}, or null.`
      : `entities[${row}]: join key \`${name}\` is ${showGiven(value)}. Expected a value of type ${type}.`,
    {hint: `Give each row a ${type} for \`${name}\`; a row with a null key gets null features.`},
  )
}

function inferType(values: readonly unknown[], name: string): ValueType {
  let found: {readonly type: ValueType; readonly row: number} | undefined
  values.forEach((value, row) => {
    if (value === null || value === undefined) return
    const type = typeOfValue(value)
    if (type === undefined) {
      throw rowsInvalid(
        `entities[${row}]: \`${name}\` is ${showGiven(value)}. Expected text, a number, a boolean, bytes or a Date.`,
      )
    }
    if (found === undefined) found = {type, row}
    else if (found.type !== type) {
      throw rowsInvalid(
        `Column \`${name}\` of the entity rows is ${found.type} in entities[${found.row}] and ${type} in entities[${row}]. Expected one type.`,
      )
    }
  })
  return found?.type ?? 'string'
}

function typeOfValue(value: unknown): ValueType | undefined {
  switch (typeof value) {
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? 'int64' : undefined
    case 'number':
      return 'float64'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'object':
      if (value instanceof Uint8Array) return 'bytes'
      return readInstantValue(value) === undefined ? undefined : 'timestamp'
    default:
      return undefined
  }
}

function toValue(value: unknown): Value | null {
  if (value === null || value === undefined) return null
  return value instanceof Date ? (readInstantValue(value) as bigint) : (value as Value)
}

function rowsInvalid(message: string): FeatureStoreError {
  return new FeatureStoreError('FS_ENTITY_ROWS_INVALID', message, {
    hint: 'Write each row as a record of its keys, its event timestamp and any other columns.',
  })
}
