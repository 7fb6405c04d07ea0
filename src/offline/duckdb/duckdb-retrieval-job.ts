import {compilePointInTime} from '../../compile/point-in-time.js'
import type {PointInTimeQuery, TypedColumn} from '../../compile/query.js'
import {asStatement} from '../../compile/relations.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {ReadableJoin} from '../../compile/source-rows.js'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import {BoundValues, literalValues} from '../../compile/sql-values.js'
import type {Column, ColumnBatch} from '../../definitions/column-batch.js'
import type {FrameFormat, ReadOptions, RetrievalJob} from '../offline-store.js'
import {columnBatches} from './column-builder.js'
import type {DuckDbSession} from './duckdb-session.js'
import {frameTypeOf, selectTexts, selectValues, type NativeColumn} from './frame-columns.js'
import {writeWhole} from '../../output-file.js'
import {isS3Location} from '../../aws/s3/s3-location.js'
import {writeToS3} from '../../aws/s3/write-to-s3.js'
import {runSteps, type Compile} from './run-steps.js'

/** Rows of a batch that goes through JavaScript: some megabytes. */
const batchRows = 16_384

/** A training frame over one session, which it closes. */
export class DuckDbRetrievalJob implements RetrievalJob {
  readonly columns: readonly TypedColumn[]
  readonly #session: DuckDbSession
  readonly #query: PointInTimeQuery
  readonly #entityRows: EntityRelation
  readonly #joins: readonly ReadableJoin[]
  readonly #native: readonly NativeColumn[]

  constructor(options: {
    readonly session: DuckDbSession
    readonly query: PointInTimeQuery
    readonly entityRows: EntityRelation
    readonly joins: readonly ReadableJoin[]
    /** As the engine tells them of the compiled statement. */
    readonly native: readonly NativeColumn[]
  }) {
    this.#session = options.session
    this.#query = options.query
    this.#entityRows = options.entityRows
    this.#joins = options.joins
    this.#native = options.native
    const declared = new Map(
      options.query.joins.flatMap(({rows, outputs}) =>
        outputs.map(
          ({feature, as}) => [as, rows.features.find(({name}) => name === feature)?.valueType] as const,
        ),
      ),
    )
    this.columns = options.native.map(({name, nativeType}) => ({
      name,
      valueType: declared.get(name) ?? frameTypeOf(nativeType),
    }))
  }

  get sql(): string {
    return asStatement(this.#compile()(literalValues), duckDb)
  }

  async writeFile(
    path: string,
    format: FrameFormat,
    {signal}: ReadOptions = {},
  ): Promise<{readonly rows: number}> {
    const write = isS3Location(path)
      ? writeToS3<{readonly rows: number}>
      : writeWhole<{readonly rows: number}>
    return write(path, async (temporary) => {
      if (format !== 'arrow') return {rows: await this.#copy(temporary, format, signal)}
      const {writeArrowStream} = await import('./arrow-stream.js')
      return {rows: await writeArrowStream(temporary, this.#native, this.#stream(undefined, signal))}
    })
  }

  async *batches({signal, limit}: ReadOptions & {readonly limit?: number} = {}): AsyncGenerator<
    ColumnBatch,
    void,
    undefined
  > {
    const names = this.columns.map(({name}) => name)
    for await (const batch of this.#stream(limit, signal)) yield {...batch, names}
  }

  async countRows(): Promise<number> {
    const values = new BoundValues()
    const relation = this.#entityRows.write(values)
    const [[count] = []] = await this.#session.rows(
      `SELECT count(*) FROM ${relation} AS entity_rows`,
      values.parameters,
    )
    return Number(count)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]()
  }

  #compile(limit?: number): Compile {
    return (values) =>
      compilePointInTime({
        query: this.#query,
        entityRows: this.#entityRows,
        joins: this.#joins,
        values,
        ...(limit === undefined ? {} : {limit}),
      })
  }

  async *#stream(
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{readonly rowCount: number; readonly columns: readonly Column[]}, void, undefined> {
    await using frame = await runSteps(this.#session, this.#compile(limit), signal)
    const sql = selectValues(this.#native, frame.sql)
    const types = this.columns.map(({valueType}) => valueType)
    yield* columnBatches(this.#session.stream(sql, frame.parameters, signal), types, batchRows)
  }

  async #copy(
    path: string,
    format: Exclude<FrameFormat, 'arrow'>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    await using frame = await runSteps(this.#session, this.#compile(), signal)
    const [query, options] =
      format === 'parquet'
        ? [frame.sql, 'FORMAT parquet, COMPRESSION zstd']
        : format === 'csv'
          ? [selectTexts(this.#native, frame.sql, format), 'FORMAT csv, HEADER']
          : [selectTexts(this.#native, frame.sql, format), 'FORMAT json']
    return await this.#session.run(
      `COPY (${query}) TO ${quoteText(path)} (${options})`,
      frame.parameters,
      signal,
    )
  }
}
