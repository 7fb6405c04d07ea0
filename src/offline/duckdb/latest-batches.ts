import {compileLatestPerEntity} from '../../compile/latest-per-entity.js'
import type {LatestPerEntityQuery} from '../../compile/query.js'
import {checkedFeatures, type ReadableRows} from '../../compile/source-rows.js'
import type {Column} from '../../definitions/column-batch.js'
import type {ValueType} from '../../definitions/value-type.js'
import type {LatestBatch} from '../offline-store.js'
import {columnBatches} from './column-builder.js'
import type {DuckDbSession} from './duckdb-session.js'
import {selectValues, type NativeColumn} from './frame-columns.js'
import {describeScript, runSteps, type Compile, type Statement} from './run-steps.js'

/** Rows of a batch of newest rows: what a store writes at once. */
export const batchRows = 8192

/** The newest rows that a query asks for, of a source that the engine reads. */
export async function* newestBatches(
  session: DuckDbSession,
  query: LatestPerEntityQuery,
  readable: ReadableRows,
  signal: AbortSignal | undefined,
): AsyncGenerator<LatestBatch, void, undefined> {
  const compile: Compile = (values) => compileLatestPerEntity(query, readable, values)
  const described = await describeScript(session, compile)
  await using latest = await runSteps(session, compile, signal)
  yield* latestBatches(session, readable, described, latest, signal)
}

/** The answer of a statement that gives newest rows. */
export async function* latestBatches(
  session: DuckDbSession,
  readable: ReadableRows,
  described: readonly NativeColumn[],
  statement: Statement,
  signal: AbortSignal | undefined,
): AsyncGenerator<LatestBatch, void, undefined> {
  const stream = session.stream(selectValues(described, statement.sql), statement.parameters, signal)
  for await (const {rowCount, columns} of columnBatches(stream, latestTypes(readable), batchRows))
    yield latestBatch(readable, rowCount, columns)
}

/** Types of the columns of a newest row. */
export function latestTypes(readable: ReadableRows): readonly ValueType[] {
  const {keys, features} = readable.rows
  return [
    ...keys.map(({valueType}) => valueType),
    'timestamp',
    'timestamp',
    ...features.map(({valueType}) => valueType),
    ...[...checkedFeatures(readable)].map((): ValueType => 'string'),
  ]
}

/** `columns` are of the types of `latestTypes`. */
export function latestBatch(
  readable: ReadableRows,
  rowCount: number,
  columns: readonly Column[],
): LatestBatch {
  const {keys, features} = readable.rows
  const names = [
    ...keys.map(({name}) => name),
    'event_timestamp',
    'created_timestamp',
    ...features.map(({name}) => name),
  ]
  return {
    rowCount,
    names,
    columns: columns.slice(0, names.length),
    eventTimestampIndex: keys.length,
    createdTimestampIndex: keys.length + 1,
    featuresIndex: keys.length + 2,
    misfits: misfitsIn(
      columns.slice(names.length),
      [...checkedFeatures(readable)].map((index) => (features[index] as (typeof features)[number]).name),
      rowCount,
    ),
  }
}

function misfitsIn(
  columns: readonly Column[],
  features: readonly string[],
  rowCount: number,
): LatestBatch['misfits'] {
  return columns.flatMap((column, index) =>
    Array.from({length: rowCount}, (_, row) => row)
      .filter((row) => column.nulls?.[row] !== 1)
      .map((row) => ({row, feature: features[index] as string, value: column.values[row] as string})),
  )
}
