import {mkdir, open} from 'node:fs/promises'
import {dirname} from 'node:path'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {LatestPerEntityQuery} from '../../compile/query.js'
import {
  compileSnapshotChanges,
  type SnapshotFiles,
  type SnapshotScript,
} from '../../compile/snapshot-changes.js'
import type {ReadableRows} from '../../compile/source-rows.js'
import {BoundValues} from '../../compile/sql-values.js'
import type {Column} from '../../definitions/column-batch.js'
import type {Value, ValueType} from '../../definitions/value-type.js'
import type {LatestBatch, ReadOptions, RemovedBatch, SnapshotChanges} from '../offline-store.js'
import {writeWhole} from '../../output-file.js'
import {columnBatches} from './column-builder.js'
import type {DuckDbSession} from './duckdb-session.js'
import {selectValues, type NativeColumn} from './frame-columns.js'
import {batchRows, latestBatch, latestBatches, latestTypes} from './latest-batches.js'
import {describeScript, runSteps, type Compile, type Statement} from './run-steps.js'

interface Comparison {
  readonly readable: ReadableRows
  readonly described: readonly NativeColumn[]
  readonly changed: Statement & AsyncDisposable
  readonly script: SnapshotScript
  readonly close: () => Promise<void>
}

/** A comparison whose tables live as long as its session. */
export class DuckDbSnapshotChanges implements SnapshotChanges {
  readonly counts: SnapshotChanges['counts']
  readonly #session: DuckDbSession
  readonly #comparison: Comparison

  private constructor(
    session: DuckDbSession,
    comparison: Comparison,
    [changed, gone, all]: readonly unknown[],
  ) {
    this.#session = session
    this.#comparison = comparison
    this.counts = {changed: Number(changed), gone: Number(gone), all: Number(all)}
  }

  static async compare(
    session: DuckDbSession,
    {
      query,
      readable,
      previous,
      signal,
      close,
    }: {
      readonly query: LatestPerEntityQuery
      readonly readable: ReadableRows
      readonly previous: SnapshotFiles
      readonly signal: AbortSignal | undefined
      /** Called when it is closed. */
      readonly close: () => Promise<void>
    },
  ): Promise<DuckDbSnapshotChanges> {
    const compile: Compile = (values) => compileSnapshotChanges(query, readable, values, previous).changed
    const described = await describeScript(session, compile)
    const changed = await runSteps(session, compile, signal)
    const script = compileSnapshotChanges(query, readable, new BoundValues(), previous)
    const [counts = []] = await session.rows(script.counts)
    return new DuckDbSnapshotChanges(session, {readable, described, changed, script, close}, counts)
  }

  changed({signal}: ReadOptions = {}): AsyncIterable<LatestBatch> {
    const {readable, described, changed} = this.#comparison
    return latestBatches(this.#session, readable, described, changed, signal)
  }

  async *wentBack({signal}: ReadOptions = {}): AsyncGenerator<
    {readonly now: LatestBatch; readonly before: RemovedBatch},
    void,
    undefined
  > {
    const {readable, described, script} = this.#comparison
    const {length} = readable.rows.keys
    const [event, created] = described.slice(length)
    if (event === undefined || created === undefined) throw new Error('no times')
    const columns = [...described, {...event, name: 'was_t'}, {...created, name: 'was_c'}]
    const types: readonly ValueType[] = [...latestTypes(readable), 'timestamp', 'timestamp']
    const stream = this.#session.stream(selectValues(columns, script.wentBack), [], signal)
    for await (const {rowCount, columns: all} of columnBatches(stream, types, batchRows))
      yield {
        now: latestBatch(readable, rowCount, all.slice(0, -2)),
        before: removedBatch(rowCount, [...all.slice(0, length), ...all.slice(-2)]),
      }
  }

  async *gone({signal}: ReadOptions = {}): AsyncGenerator<RemovedBatch, void, undefined> {
    const {readable, described, script} = this.#comparison
    const {keys} = readable.rows
    const columns = described.slice(0, keys.length + 2)
    const types: readonly ValueType[] = [...keys.map(({valueType}) => valueType), 'timestamp', 'timestamp']
    const stream = this.#session.stream(selectValues(columns, script.gone), [], signal)
    for await (const {rowCount, columns: all} of columnBatches(stream, types, batchRows))
      yield removedBatch(rowCount, all)
  }

  async save(path: string, notWritten: readonly (readonly Value[])[]): Promise<void> {
    await mkdir(dirname(path), {recursive: true})
    const state = this.#comparison.script.state(notWritten)
    // The registry will name it: it must be whole by then, also after a loss of power.
    await writeWhole(path, async (temporary) => {
      await this.#session.run(`COPY (${state}) TO ${quoteText(temporary)} (FORMAT parquet)`)
      await flush(temporary)
    })
    await flush(dirname(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#comparison.changed[Symbol.asyncDispose]()
    } finally {
      await this.#comparison.close()
    }
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems can't flush a folder.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

/** `columns`: the keys, then the two times. */
function removedBatch(rowCount: number, columns: readonly Column[]): RemovedBatch {
  const [eventTimestamps, createdTimestamps] = columns.slice(-2)
  if (eventTimestamps === undefined || createdTimestamps === undefined) throw new Error('no times')
  return {rowCount, keys: columns.slice(0, -2), eventTimestamps, createdTimestamps}
}
