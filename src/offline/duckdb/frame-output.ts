/** Ways in which a training frame leaves the engine. */
import {isS3Location} from '../../aws/s3/s3-location.js'
import {writeToS3} from '../../aws/s3/write-to-s3.js'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {PointInTimeQuery, TypedColumn} from '../../compile/query.js'
import type {Column} from '../../definitions/column-batch.js'
import {writeWhole} from '../../output-file.js'
import type {FrameFormat} from '../offline-store.js'
import {columnBatches} from './column-builder.js'
import type {DuckDbSession} from './duckdb-session.js'
import {frameTypeOf, selectTexts, selectValues, type NativeColumn} from './frame-columns.js'
import type {Statement} from './run-steps.js'

/**
 * Measured of twenty columns of random doubles: zstd makes a file 8 % smaller and takes a quarter more of the time; up to
 * the engine's own limit of some 20,000 values, a dictionary of values that hardly repeat takes a sixth.
 */
const parquetOptions = 'FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 4096'

/** Rows of a batch that goes through JavaScript: some megabytes. */
const batchRows = 16_384

/** Columns of a frame: as the views declare them, and for those of the entity rows what holds every value. */
export function frameColumns(
  {joins}: PointInTimeQuery,
  native: readonly NativeColumn[],
): readonly TypedColumn[] {
  const declared = new Map(
    joins.flatMap(({rows, outputs}) =>
      outputs.map(
        ({feature, as}) => [as, rows.features.find(({name}) => name === feature)?.valueType] as const,
      ),
    ),
  )
  return native.map(({name, nativeType}) => ({
    name,
    valueType: declared.get(name) ?? frameTypeOf(nativeType),
  }))
}

/** Rows of the frame that a statement gives, in its order. */
export function frameBatches(
  session: DuckDbSession,
  native: readonly NativeColumn[],
  columns: readonly TypedColumn[],
  frame: Statement,
  signal: AbortSignal | undefined,
): AsyncGenerator<{readonly rowCount: number; readonly columns: readonly Column[]}, void, undefined> {
  const types = columns.map(({valueType}) => valueType)
  return columnBatches(
    session.stream(selectValues(native, frame.sql), frame.parameters, signal),
    types,
    batchRows,
  )
}

/** Writes a file of this machine, or an object of S3, whole or not at all. */
export function writeOutput<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  return isS3Location(path) ? writeToS3(path, write) : writeWhole(path, write)
}

/** Writes it to a file; gives the number of rows. */
export async function writeFrame(
  session: DuckDbSession,
  native: readonly NativeColumn[],
  frame: Statement,
  {
    path,
    format,
    signal,
  }: {readonly path: string; readonly format: FrameFormat; readonly signal: AbortSignal | undefined},
): Promise<number> {
  if (format === 'arrow') {
    const {writeArrowStream} = await import('./arrow-stream.js')
    const columns = native.map(({name, nativeType}) => ({name, valueType: frameTypeOf(nativeType)}))
    return writeArrowStream(path, native, frameBatches(session, native, columns, frame, signal))
  }
  const [query, options] =
    format === 'parquet'
      ? [frame.sql, parquetOptions]
      : format === 'csv'
        ? [selectTexts(native, frame.sql, format), 'FORMAT csv, HEADER']
        : [selectTexts(native, frame.sql, format), 'FORMAT json']
  return session.run(`COPY (${query}) TO ${quoteText(path)} (${options})`, frame.parameters, signal)
}
