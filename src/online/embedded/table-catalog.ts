/**
 * What an environment knows of its tables: a number for each (so that keys stay short and a dropped table's rows can
 * never be taken for a new one's), its key types, and every schema that rows were written with.
 */
import type {Field} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import type {OnlineTable} from '../online-store.js'

export interface TableRecord {
  readonly id: number
  readonly keyTypes: readonly string[]
  /** By schema id, which rows carry: the position in this list. */
  readonly schemas: readonly (readonly Pick<Field, 'name' | 'valueType'>[])[]
}

/** The catalog document of an environment; it is small, and replaced whole. */
export interface TableCatalog {
  readonly layout: 1
  readonly nextId: number
  readonly tables: Readonly<Record<string, TableRecord>>
  /** Numbers of tables whose rows are still to be removed. */
  readonly dropping: readonly number[]
}

export const emptyCatalog: TableCatalog = {layout: 1, nextId: 1, tables: {}, dropping: []}

/** Reads what `formatCatalog` wrote. */
export function parseCatalog(bytes: Buffer): TableCatalog {
  const catalog = JSON.parse(bytes.toString('utf8')) as TableCatalog
  if (catalog.layout !== 1) {
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `The online store was written by another version of feature-repo (layout ${String(catalog.layout)}).`,
      {hint: 'Use that version, or remove the folder, apply and materialize again.'},
    )
  }
  return catalog
}

export function formatCatalog(catalog: TableCatalog): Buffer {
  return Buffer.from(JSON.stringify(catalog))
}

/** The catalog with a table in it, or with a new schema for it; the very same catalog when nothing is new. */
export function withTable(catalog: TableCatalog, table: OnlineTable): TableCatalog {
  const keyTypes = table.joinKeys.map((key) => key.valueType)
  const known = catalog.tables[table.name]
  if (known === undefined) {
    const record = {id: catalog.nextId, keyTypes, schemas: [schemaOf(table)]}
    return {...catalog, nextId: catalog.nextId + 1, tables: {...catalog.tables, [table.name]: record}}
  }
  if (known.keyTypes.join() !== keyTypes.join()) {
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `Online table ${table.name} of feature_view/${table.view} has keys of types ${known.keyTypes.join(', ')}, not ${keyTypes.join(', ')}.`,
      {hint: 'Run `fs teardown` and `fs apply`, or give the view another name.'},
    )
  }
  if (schemaIdOf(known, table) !== undefined) return catalog
  const record = {...known, schemas: [...known.schemas, schemaOf(table)]}
  return {...catalog, tables: {...catalog.tables, [table.name]: record}}
}

/** The catalog without some tables, whose rows are then to be removed. */
export function withoutTables(catalog: TableCatalog, names: readonly string[]): TableCatalog {
  const gone = names.flatMap((name) => catalog.tables[name] ?? [])
  if (gone.length === 0) return catalog
  return {
    ...catalog,
    tables: Object.fromEntries(Object.entries(catalog.tables).filter(([name]) => !names.includes(name))),
    dropping: [...catalog.dropping, ...gone.map((record) => record.id)],
  }
}

/** The id of the schema that rows of `table` are written with; undefined before `withTable` knew it. */
export function schemaIdOf(record: TableRecord, table: OnlineTable): number | undefined {
  const index = record.schemas.findIndex(
    (schema) =>
      schema.length === table.features.length &&
      schema.every(
        (field, at) =>
          field.name === table.features[at]?.name && field.valueType === table.features[at]?.valueType,
      ),
  )
  return index < 0 ? undefined : index
}

function schemaOf(table: OnlineTable): TableRecord['schemas'][number] {
  return table.features.map(({name, valueType}) => ({name, valueType}))
}
