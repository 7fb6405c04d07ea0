/** The offline store on DuckDB, in the process of the command: it reads the sources where they lie. */
import {dirname} from 'node:path'
import type {DuckDBInstance} from '@duckdb/node-api'
import {compileIncompleteRows} from '../../compile/latest-per-entity.js'
import {compilePointInTime} from '../../compile/point-in-time.js'
import type {
  LatestPerEntityQuery,
  PointInTimeQuery,
  SourceSummaryQuery,
  SourceTree,
} from '../../compile/query.js'
import type {ReadableSource} from '../../compile/source-rows.js'
import type {SnapshotFiles} from '../../compile/snapshot-changes.js'
import {compileSourceSummary} from '../../compile/source-summary.js'
import {BoundValues} from '../../compile/sql-values.js'
import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import {checkEntityColumns} from './check-entity-columns.js'
import type {ColumnBatch} from '../../definitions/column-batch.js'
import type {DataSource} from '../../definitions/definition.js'
import type {Instant} from '../../definitions/instant.js'
import {examineFolder} from '../../examine-folder.js'
import type {Examination} from '../../examination.js'
import type {
  LatestBatch,
  OfflineStore,
  OfflineStoreDriver,
  PinnedSource,
  ReadOptions,
  RetrievalJob,
  SnapshotChanges,
  SourceColumn,
  SourceSummary,
} from '../offline-store.js'
import {AttachedDatabases} from './attached-databases.js'
import {columnBatches} from './column-builder.js'
import {DuckDbRetrievalJob} from './duckdb-retrieval-job.js'
import {DuckDbSession} from './duckdb-session.js'
import {examineNeeds} from './examine-needs.js'
import {entityRelation} from './entity-relation.js'
import {frameTypeOf, selectValues} from './frame-columns.js'
import {openDatabase} from './open-database.js'
import {sourceError} from './query-error.js'
import {readSource} from './read-source.js'
import {DuckDbSnapshotChanges} from './snapshot-changes.js'
import {batchRows, newestBatches} from './latest-batches.js'
import {readJoins} from '../read-joins.js'
import {summaryOf} from '../summary-of.js'
import {pinSource} from './pin-source.js'
import {frameRange, summaryRange, timeRangeOf, type TimeRange} from './time-range.js'
import {objectCache} from './s3/open-object-cache.js'
import {S3Files} from './s3/s3-files.js'
import {sourceVersion} from './source-version.js'
import {describeScript} from './run-steps.js'

export const duckDbDriver: OfflineStoreDriver = {
  async open({settings, repoDirectory}) {
    const s3 = new S3Files(objectCache(settings, repoDirectory))
    return new DuckDbOfflineStore(await openDatabase(settings, repoDirectory), s3, repoDirectory)
  },
}

class DuckDbOfflineStore implements OfflineStore {
  readonly #instance: DuckDBInstance
  readonly #databases: AttachedDatabases
  readonly #s3: S3Files
  readonly #repoDirectory: string
  readonly #sessions = new Set<DuckDbSession>()
  #closed = false

  constructor(instance: DuckDBInstance, s3: S3Files, repoDirectory: string) {
    this.#instance = instance
    this.#s3 = s3
    this.#databases = new AttachedDatabases(instance)
    this.#repoDirectory = repoDirectory
  }

  async *examine(_clock: () => Instant, sources: readonly DataSource[]): Examination {
    const [settings = []] = await this.#withSession((session) =>
      session.rows(
        `SELECT version(), current_setting('threads')::VARCHAR, current_setting('memory_limit'), current_setting('temp_directory')`,
      ),
    )
    const [version = '', threads = '', memory = '', folder = ''] = settings as readonly string[]
    yield {name: 'engine', status: 'ok', detail: `DuckDB ${version}, ${threads} threads, ${memory} of memory`}
    // What does not fit in memory goes to a folder beside others.
    yield* examineFolder(dirname(folder))
    const session = await this.#newSession()
    try {
      yield* examineNeeds(session, sources)
    } finally {
      await this.#close(session)
    }
  }

  async describeSource(tree: SourceTree): Promise<readonly SourceColumn[]> {
    return this.#withSession(async (session) => {
      const {columns} = await readSource(session, tree, this.#repoDirectory, 'sniffed')
      return columns.map(({name, nativeType}) => {
        const valueType = valueTypeOf(nativeType)
        return {name, nativeType, ...(valueType === undefined ? {} : {valueType})}
      })
    })
  }

  async summarizeSource(query: SourceSummaryQuery, options: ReadOptions = {}): Promise<SourceSummary> {
    const within = summaryRange(query)
    const summary = await this.#summarize(query, within, options)
    // The newest row is that of the whole source, also where it is older than what was asked for.
    return within !== undefined && summary.newestEventTimestamp === null
      ? this.#summarize(query, undefined, options)
      : summary
  }

  sourceVersion(source: SourceTree, modifiedBy: Instant): Promise<string | undefined> {
    return this.#reading(source, (session) => sourceVersion(session, source, this.#repoDirectory, modifiedBy))
  }

  pinSource(source: DataSource): Promise<PinnedSource | undefined> {
    return this.#withSession((session) => pinSource(session, source, this.#repoDirectory))
  }

  async *readLatest(
    query: LatestPerEntityQuery,
    {signal}: ReadOptions = {},
  ): AsyncGenerator<LatestBatch, void, undefined> {
    const session = await this.#newSession()
    try {
      const readable = {rows: query.rows, source: await this.#readSelected(session, query)}
      yield* newestBatches(session, query, readable, signal)
    } catch (error) {
      throw sourceError(error, query.rows.source.source)
    } finally {
      await this.#close(session)
    }
  }

  async compareSnapshot(
    query: LatestPerEntityQuery,
    {previous, signal}: ReadOptions & {readonly previous: SnapshotFiles},
  ): Promise<SnapshotChanges> {
    const session = await this.#newSession()
    try {
      const readable = {rows: query.rows, source: await this.#readSelected(session, query)}
      const close = (): Promise<void> => this.#close(session)
      return await DuckDbSnapshotChanges.compare(session, {query, readable, previous, signal, close})
    } catch (error) {
      await this.#close(session)
      throw sourceError(error, query.rows.source.source)
    }
  }

  async *readIncompleteRows(
    query: LatestPerEntityQuery,
    {signal}: ReadOptions = {},
  ): AsyncGenerator<ColumnBatch, void, undefined> {
    const session = await this.#newSession()
    try {
      const source = await this.#readSelected(session, query)
      const values = new BoundValues()
      const sql = compileIncompleteRows(query, {rows: query.rows, source}, values)
      const stream = session.stream(selectValues(source.columns, sql), values.parameters, signal)
      const types = source.columns.map(({nativeType}) => frameTypeOf(nativeType))
      const names = source.columns.map(({name}) => name)
      for await (const batch of columnBatches(stream, types, batchRows)) yield {...batch, names}
    } catch (error) {
      throw sourceError(error, query.rows.source.source)
    } finally {
      await this.#close(session)
    }
  }

  async retrieve(query: PointInTimeQuery): Promise<RetrievalJob> {
    const session = await this.#newSession()
    try {
      const joins = await readJoins(query, (tree) =>
        this.#read(session, tree, frameRange(query, tree.source.name)),
      )
      const entityRows = await entityRelation(session, query, joins, this.#repoDirectory)
      checkEntityColumns(query, entityRows)
      const native = await describeScript(session, (values) =>
        compilePointInTime({query, entityRows, joins, values}),
      )
      return new DuckDbRetrievalJob({session, query, entityRows, joins, native})
    } catch (error) {
      await this.#close(session)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const session of this.#sessions) await session[Symbol.asyncDispose]()
    this.#instance.closeSync()
    await this.#s3[Symbol.asyncDispose]()
  }

  #summarize(
    query: SourceSummaryQuery,
    within: TimeRange | undefined,
    {signal}: ReadOptions,
  ): Promise<SourceSummary> {
    return this.#reading(query.rows.source, async (session) => {
      const source = await this.#read(session, query.rows.source, within)
      const values = new BoundValues()
      const sql = compileSourceSummary(query, {rows: query.rows, source}, values)
      const [row = []] = await session.rows(sql, values.parameters, signal)
      return summaryOf(row)
    })
  }

  #read(session: DuckDbSession, tree: SourceTree, within?: TimeRange): Promise<ReadableSource> {
    return readSource(session, tree, this.#repoDirectory, 'exact', within)
  }

  /** Rows that a query selects, and perhaps others. */
  #readSelected(session: DuckDbSession, query: LatestPerEntityQuery): Promise<ReadableSource> {
    return this.#read(session, query.rows.source, query.everyKey === true ? undefined : timeRangeOf(query))
  }

  async #newSession(): Promise<DuckDbSession> {
    if (this.#closed) throw new Error('the offline store is closed')
    const session = new DuckDbSession(await this.#instance.connect(), this.#databases, this.#s3)
    this.#sessions.add(session)
    return session
  }

  /** A session to read rows of a source, whose failures name it. */
  #reading<T>(tree: SourceTree, use: (session: DuckDbSession) => Promise<T>): Promise<T> {
    return this.#withSession(use).catch((error: unknown) => {
      throw sourceError(error, tree.source)
    })
  }

  async #withSession<T>(use: (session: DuckDbSession) => Promise<T>): Promise<T> {
    const session = await this.#newSession()
    try {
      return await use(session)
    } finally {
      await this.#close(session)
    }
  }

  async #close(session: DuckDbSession): Promise<void> {
    this.#sessions.delete(session)
    await session[Symbol.asyncDispose]()
  }
}
