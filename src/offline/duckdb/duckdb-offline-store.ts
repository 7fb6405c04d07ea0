/** The offline store on DuckDB, in the process of the command: it reads the sources where they lie. */
import {dirname} from 'node:path'
import type {DuckDBInstance} from '@duckdb/node-api'
import {assignability} from '../../definitions/type-compatibility.js'
import {compileLatestPerEntity, compileIncompleteRows} from '../../compile/latest-per-entity.js'
import {compilePointInTime} from '../../compile/point-in-time.js'
import type {
  LatestPerEntityQuery,
  PointInTimeQuery,
  SourceSummaryQuery,
  SourceTree,
} from '../../compile/query.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {ReadableJoin, ReadableSource} from '../../compile/source-rows.js'
import type {SnapshotFiles} from '../../compile/snapshot-changes.js'
import {compileSourceSummary} from '../../compile/source-summary.js'
import {BoundValues} from '../../compile/sql-values.js'
import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import type {ColumnBatch} from '../../definitions/column-batch.js'
import type {DataSource} from '../../definitions/definition.js'
import type {Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
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
import {entityRelation} from './entity-relation.js'
import {frameTypeOf, selectValues} from './frame-columns.js'
import {openDatabase} from './open-database.js'
import {sourceError} from './query-error.js'
import {readSource} from './read-source.js'
import {DuckDbSnapshotChanges} from './snapshot-changes.js'
import {batchRows, latestBatches} from './latest-batches.js'
import {resolveSnapshot} from './table-snapshot.js'
import {sourceVersion} from './source-version.js'
import {describeScript, runSteps, type Compile} from './run-steps.js'

export const duckDbDriver: OfflineStoreDriver = {
  async open({settings, repoDirectory}) {
    return new DuckDbOfflineStore(await openDatabase(settings, repoDirectory), repoDirectory)
  },
}

class DuckDbOfflineStore implements OfflineStore {
  readonly #instance: DuckDBInstance
  readonly #databases: AttachedDatabases
  readonly #repoDirectory: string
  readonly #sessions = new Set<DuckDbSession>()
  #closed = false

  constructor(instance: DuckDBInstance, repoDirectory: string) {
    this.#instance = instance
    this.#databases = new AttachedDatabases(instance)
    this.#repoDirectory = repoDirectory
  }

  async *examine(): Examination {
    const [settings = []] = await this.#withSession((session) =>
      session.rows(
        `SELECT version(), current_setting('threads')::VARCHAR, current_setting('memory_limit'), current_setting('temp_directory')`,
      ),
    )
    const [version = '', threads = '', memory = '', folder = ''] = settings as readonly string[]
    yield {name: 'engine', status: 'ok', detail: `DuckDB ${version}, ${threads} threads, ${memory} of memory`}
    // What does not fit in memory goes to a folder beside others.
    yield* examineFolder(dirname(folder))
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

  async summarizeSource(query: SourceSummaryQuery): Promise<SourceSummary> {
    return this.#reading(query.rows.source, async (session) => {
      const source = await this.#read(session, query.rows.source)
      const values = new BoundValues()
      const sql = compileSourceSummary(query, {rows: query.rows, source}, values)
      const [row = []] = await session.rows(sql, values.parameters)
      const [rows, incompleteRows, approximateKeys, newestEvent, newestCreated, createdAt] = row
      return {
        rows: Number(rows),
        incompleteRows: Number(incompleteRows),
        approximateKeys: Number(approximateKeys),
        newestEventTimestamp: newestEvent as bigint | null,
        newestCreatedTimestamp: newestCreated as bigint | null,
        createdAtCount: Number(createdAt),
      }
    })
  }

  sourceVersion(source: SourceTree, modifiedBy: Instant): Promise<string | undefined> {
    return this.#reading(source, (session) => sourceVersion(session, source, this.#repoDirectory, modifiedBy))
  }

  async pinSource(source: DataSource): Promise<PinnedSource | undefined> {
    if (source.type !== 'delta' && source.type !== 'iceberg') return undefined
    const found = await this.#withSession((session) => resolveSnapshot(session, source, this.#repoDirectory))
    return {source: found.source, snapshot: found.name}
  }

  async *readLatest(
    query: LatestPerEntityQuery,
    {signal}: ReadOptions = {},
  ): AsyncGenerator<LatestBatch, void, undefined> {
    const session = await this.#newSession()
    try {
      const readable = {rows: query.rows, source: await this.#read(session, query.rows.source)}
      const compile: Compile = (values) => compileLatestPerEntity(query, readable, values)
      const described = await describeScript(session, compile)
      await using latest = await runSteps(session, compile, signal)
      yield* latestBatches(session, readable, described, latest, signal)
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
      const readable = {rows: query.rows, source: await this.#read(session, query.rows.source)}
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
      const source = await this.#read(session, query.rows.source)
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
      const joins = await this.#readJoins(session, query)
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
  }

  async #readJoins(session: DuckDbSession, {joins}: PointInTimeQuery): Promise<readonly ReadableJoin[]> {
    const sources = new Map<string, ReadableSource>()
    const readable: ReadableJoin[] = []
    for (const join of joins) {
      const tree = join.rows.source
      const source = sources.get(tree.source.name) ?? (await this.#read(session, tree))
      sources.set(tree.source.name, source)
      readable.push({join, source})
    }
    return readable
  }

  #read(session: DuckDbSession, tree: SourceTree): Promise<ReadableSource> {
    return readSource(session, tree, this.#repoDirectory, 'exact')
  }

  async #newSession(): Promise<DuckDbSession> {
    if (this.#closed) throw new Error('the offline store is closed')
    const session = new DuckDbSession(await this.#instance.connect(), this.#databases)
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

/** The columns that the frame needs, with types that can be what the views declare. */
function checkEntityColumns(query: PointInTimeQuery, {columns}: EntityRelation): void {
  const typeOf = new Map(columns.map(({name, nativeType}) => [name, nativeType]))
  const needed = [query.timestampColumn, ...new Set(query.joins.flatMap(({entityColumns}) => entityColumns))]
  const missing = needed.filter((name) => !typeOf.has(name))
  if (missing.length > 0) {
    throw new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `The entity rows have no column ${missing.map((name) => `\`${name}\``).join(' and no ')}. Their columns: ${columns.map(({name}) => name).join(', ')}.`,
      {
        hint: missing.includes(query.timestampColumn)
          ? 'Name the column of the event time with --timestamp-column (SDK: `timestampColumn`).'
          : 'Add the column, or map the join key to another one with join_key_map of a feature service.',
      },
    )
  }
  const time = typeOf.get(query.timestampColumn) as string
  if (!['timestamp', 'date', 'string'].includes(frameTypeOf(time))) {
    throw new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `Column \`${query.timestampColumn}\` of the entity rows is ${time}. Expected a timestamp, a date or ISO text.`,
      {hint: 'Cast it, or name another column with --timestamp-column (SDK: `timestampColumn`).'},
    )
  }
  const taken = new Set(columns.map(({name}) => name.toLowerCase()))
  for (const {rows, entityColumns, outputs} of query.joins) {
    rows.keys.forEach(({name: key, valueType}, index) => {
      const name = entityColumns[index] as string
      const native = typeOf.get(name) as string
      const given = valueTypeOf(native)
      if (given !== undefined && assignability(given, valueType) !== 'no') return
      throw new FeatureStoreError(
        'FS_ENTITY_KEY_INVALID',
        `Column \`${name}\` of the entity rows is ${native}, and join key \`${key}\` of view \`${rows.view}\` is ${valueType}.`,
        {hint: `Give \`${name}\` as ${valueType}.`},
      )
    })
    const clash = outputs.find(({as}) => taken.has(as.toLowerCase()))
    if (clash !== undefined) {
      throw new FeatureStoreError(
        'FS_REFERENCE_AMBIGUOUS',
        `Two columns would be named \`${clash.as}\`: one of the entity rows and \`${rows.view}:${clash.feature}\`.`,
        {
          hint: 'Ask for full feature names: --full-feature-names (SDK: `fullFeatureNames: true`), or rename the column.',
        },
      )
    }
  }
}
