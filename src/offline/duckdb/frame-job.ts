import type {PointInTimeQuery, TypedColumn} from '../../compile/query.js'
import type {ColumnBatch} from '../../definitions/column-batch.js'
import type {FrameFormat, ReadOptions, RetrievalJob} from '../offline-store.js'
import type {DuckDbSession} from './duckdb-session.js'
import type {NativeColumn} from './frame-columns.js'
import {frameBatches, frameColumns, writeFrame, writeOutput} from './frame-output.js'
import type {Statement} from './run-steps.js'

/** A training frame that leaves by DuckDB, wherever its rows were chosen. */
export abstract class FrameJob implements RetrievalJob {
  readonly columns: readonly TypedColumn[]
  readonly #session: DuckDbSession
  readonly #native: readonly NativeColumn[]

  /** `native`: the columns as `prepare` will give them. */
  constructor(session: DuckDbSession, query: PointInTimeQuery, native: readonly NativeColumn[]) {
    this.#session = session
    this.#native = native
    this.columns = frameColumns(query, native)
  }

  abstract get sql(): string

  abstract countRows(): Promise<number>

  abstract [Symbol.asyncDispose](): Promise<void>

  /** The statement that gives the frame, when all that it reads is there, until it is disposed of. */
  protected abstract prepare(
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Statement & AsyncDisposable>

  async writeFile(
    path: string,
    format: FrameFormat,
    {signal}: ReadOptions = {},
  ): Promise<{readonly rows: number}> {
    return writeOutput(path, async (temporary) => {
      await using frame = await this.prepare(undefined, signal)
      return {rows: await writeFrame(this.#session, this.#native, frame, {path: temporary, format, signal})}
    })
  }

  async *batches({signal, limit}: ReadOptions & {readonly limit?: number} = {}): AsyncGenerator<
    ColumnBatch,
    void,
    undefined
  > {
    const names = this.columns.map(({name}) => name)
    await using frame = await this.prepare(limit, signal)
    for await (const batch of frameBatches(this.#session, this.#native, this.columns, frame, signal))
      yield {...batch, names}
  }
}
