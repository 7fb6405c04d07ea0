/** Questions to an offline store, and its answers as rows. */
import type {
  EntityRows,
  FeatureRows,
  LatestPerEntityQuery,
  PointInTimeQuery,
  TypedColumn,
  ViewJoin,
} from '../../src/compile/query.js'
import {valueAt, type ColumnBatch} from '../../src/definitions/column-batch.js'
import type {DataSource} from '../../src/definitions/definition.js'
import type {KeyType, Value, ValueType} from '../../src/definitions/value-type.js'
import type {LatestBatch, OfflineStore} from '../../src/offline/offline-store.js'
import type {OracleRow, Row} from './oracle.js'

/** `{driver_id: 'int64'}` as columns. */
export function columnsOf<T extends ValueType>(
  types: Readonly<Record<string, T>>,
): readonly {readonly name: string; readonly valueType: T}[] {
  return Object.entries(types).map(([name, valueType]) => ({name, valueType}))
}

/** The rows of a view over a source that no query names. */
export function featureRows(
  source: DataSource,
  keys: Readonly<Record<string, KeyType>>,
  features: Readonly<Record<string, ValueType>>,
  view = source.name,
): FeatureRows {
  return {view, source: {source, inputs: {}}, keys: columnsOf(keys), features: columnsOf(features)}
}

/** A view's part in a frame: all features under their own names, unless told otherwise. */
export function viewJoin(rows: FeatureRows, options: Partial<ViewJoin> = {}): ViewJoin {
  return {
    alias: rows.view,
    rows,
    entityColumns: rows.keys.map(({name}) => name),
    knowledgeTime: false,
    outputs: rows.features.map(({name}) => ({feature: name, as: name})),
    ...options,
  }
}

export function entityValues(types: Readonly<Record<string, ValueType>>, rows: readonly Row[]): EntityRows {
  return {kind: 'values', columns: columnsOf(types), rows}
}

export function frameQuery(
  entityRows: EntityRows,
  joins: readonly ViewJoin[],
  options: Partial<PointInTimeQuery> = {},
): PointInTimeQuery {
  return {kind: 'point_in_time', entityRows, timestampColumn: 'event_timestamp', joins, ...options}
}

export interface Frame {
  readonly columns: readonly TypedColumn[]
  readonly rows: readonly Row[]
}

/** Runs a frame and reads all of it. */
export async function readFrame(store: OfflineStore, query: PointInTimeQuery): Promise<Frame> {
  await using job = await store.retrieve(query)
  return {columns: job.columns, rows: await rowsOf(job.batches())}
}

export function latestQuery(
  rows: FeatureRows,
  options: Partial<LatestPerEntityQuery> = {},
): LatestPerEntityQuery {
  return {
    kind: 'latest_per_entity',
    rows,
    intervals: [{start: null, end: 253_402_300_799_999_999n}],
    order: 'key',
    ...options,
  }
}

/** Newest rows, and the misfits among them with the key of their row. */
export async function readNewest(
  store: OfflineStore,
  query: LatestPerEntityQuery,
): Promise<{
  readonly rows: readonly OracleRow[]
  readonly misfits: readonly {readonly key: Row; readonly feature: string; readonly value: string}[]
}> {
  const rows: OracleRow[] = []
  const misfits: {key: Row; feature: string; value: string}[] = []
  for await (const batch of store.readLatest(query)) {
    const read = newestRowsOf(batch)
    rows.push(...read)
    misfits.push(...batch.misfits.map(({row, feature, value}) => ({key: read[row]!.key, feature, value})))
  }
  return {rows, misfits}
}

/** The parts of a batch of newest rows. */
export function newestRowsOf(batch: LatestBatch): readonly OracleRow[] {
  const {eventTimestampIndex, createdTimestampIndex, featuresIndex} = batch
  return batchRows(batch).map((row) => ({
    key: row.slice(0, eventTimestampIndex),
    event: row[eventTimestampIndex] as bigint,
    created: row[createdTimestampIndex] as bigint | null,
    values: row.slice(featuresIndex),
  }))
}

export async function rowsOf(batches: AsyncIterable<ColumnBatch>): Promise<readonly Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batchRows(batch))
  return rows
}

/** A batch's rows; every column must be as long as the batch says, and of the storage that its type has. */
export function batchRows(batch: ColumnBatch): readonly Row[] {
  if (batch.names.length !== batch.columns.length) throw new Error('a batch has a name for each column')
  for (const column of batch.columns) {
    if (column.values.length < batch.rowCount) throw new Error('a column is shorter than its batch')
  }
  return Array.from({length: batch.rowCount}, (_, row) =>
    batch.columns.map((column): Value | null => valueAt(column, row)),
  )
}
