import {compilePointInTime} from '../../compile/point-in-time.js'
import type {PointInTimeQuery, TypedColumn} from '../../compile/query.js'
import {asStatement} from '../../compile/relations.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {ReadableJoin} from '../../compile/source-rows.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import {BoundValues, literalValues} from '../../compile/sql-values.js'
import type {ColumnBatch} from '../../definitions/column-batch.js'
import type {FrameFormat, ReadOptions, RetrievalJob} from '../offline-store.js'
import type {DuckDbSession} from './duckdb-session.js'
import type {NativeColumn} from './frame-columns.js'
import {frameBatches, frameColumns, writeFrame, writeOutput} from './frame-output.js'
import {runSteps, type Compile} from './run-steps.js'

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
    this.columns = frameColumns(options.query, options.native)
  }

  get sql(): string {
    return asStatement(this.#compile()(literalValues), duckDb)
  }

  async writeFile(
    path: string,
    format: FrameFormat,
    {signal}: ReadOptions = {},
  ): Promise<{readonly rows: number}> {
    return writeOutput(path, async (temporary) => {
      await using frame = await runSteps(this.#session, this.#compile(), signal)
      return {rows: await writeFrame(this.#session, this.#native, frame, {path: temporary, format, signal})}
    })
  }

  async *batches({signal, limit}: ReadOptions & {readonly limit?: number} = {}): AsyncGenerator<
    ColumnBatch,
    void,
    undefined
  > {
    const names = this.columns.map(({name}) => name)
    await using frame = await runSteps(this.#session, this.#compile(limit), signal)
    for await (const batch of frameBatches(this.#session, this.#native, this.columns, frame, signal))
      yield {...batch, names}
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
}
