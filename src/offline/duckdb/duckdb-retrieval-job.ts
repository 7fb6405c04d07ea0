import {compilePointInTime} from '../../compile/point-in-time.js'
import type {PointInTimeQuery} from '../../compile/query.js'
import {asStatement} from '../../compile/relations.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {ReadableJoin} from '../../compile/source-rows.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import {BoundValues, literalValues} from '../../compile/sql-values.js'
import type {DuckDbSession} from './duckdb-session.js'
import type {NativeColumn} from './frame-columns.js'
import {FrameJob} from './frame-job.js'
import {runSteps, type Compile, type Statement} from './run-steps.js'

/** A training frame over one session, which it closes. */
export class DuckDbRetrievalJob extends FrameJob {
  readonly #session: DuckDbSession
  readonly #query: PointInTimeQuery
  readonly #entityRows: EntityRelation
  readonly #joins: readonly ReadableJoin[]

  constructor(options: {
    readonly session: DuckDbSession
    readonly query: PointInTimeQuery
    readonly entityRows: EntityRelation
    readonly joins: readonly ReadableJoin[]
    /** As the engine tells them of the compiled statement. */
    readonly native: readonly NativeColumn[]
  }) {
    super(options.session, options.query, options.native)
    this.#session = options.session
    this.#query = options.query
    this.#entityRows = options.entityRows
    this.#joins = options.joins
  }

  get sql(): string {
    return asStatement(this.#compile()(literalValues), duckDb)
  }

  protected async prepare(
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Statement & AsyncDisposable> {
    return runSteps(this.#session, this.#compile(limit), signal)
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
    return (values, facts) =>
      compilePointInTime({
        query: this.#query,
        entityRows: this.#entityRows,
        joins: this.#joins,
        values,
        limit,
        facts,
      })
  }
}
