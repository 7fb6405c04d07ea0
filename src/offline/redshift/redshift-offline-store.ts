/** The offline store on Amazon Redshift: the warehouse chooses rows, which come by S3, and DuckDB finishes them here. */
import type {DuckDBInstance} from '@duckdb/node-api'
import {
  compileIncompleteRows,
  compileLatestPerEntity,
  latestColumns,
} from '../../compile/latest-per-entity.js'
import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import {travelOf} from '../../compile/dialects/redshift-types.js'
import {quoteName} from '../../compile/dialects/redshift-names.js'
import {quoteName as quoteHome} from '../../compile/dialects/duckdb-names.js'
import type {
  LatestPerEntityQuery,
  PointInTimeQuery,
  SourceSummaryQuery,
  SourceTree,
} from '../../compile/query.js'
import type {SnapshotFiles} from '../../compile/snapshot-changes.js'
import {settlingOrder, typedRows, type ReadableRows} from '../../compile/source-rows.js'
import {compileSourceSummary} from '../../compile/source-summary.js'
import {BoundValues, literalValues} from '../../compile/sql-values.js'
import type {ColumnBatch} from '../../definitions/column-batch.js'
import type {Examination} from '../../examination.js'
import {AttachedDatabases} from '../duckdb/attached-databases.js'
import {checkEntityColumns} from '../duckdb/check-entity-columns.js'
import {columnBatches} from '../duckdb/column-builder.js'
import {DuckDbSession} from '../duckdb/duckdb-session.js'
import {frameTypeOf, selectValues} from '../duckdb/frame-columns.js'
import {batchRows, latestBatches, newestBatches} from '../duckdb/latest-batches.js'
import {readJoins} from '../read-joins.js'
import {summaryOf} from '../summary-of.js'
import {objectCache} from '../duckdb/s3/open-object-cache.js'
import {S3Files} from '../duckdb/s3/s3-files.js'
import {openDatabase} from '../duckdb/open-database.js'
import {sourceError} from '../duckdb/query-error.js'
import {DuckDbSnapshotChanges} from '../duckdb/snapshot-changes.js'
import type {Instant} from '../../definitions/instant.js'
import type {
  LatestBatch,
  LeftBehind,
  OfflineStore,
  OfflineStoreDriver,
  ReadOptions,
  RetrievalJob,
  SnapshotChanges,
  SourceColumn,
  SourceSummary,
} from '../offline-store.js'
import {cleanUpStaging} from './clean-up-staging.js'
import {DataApi} from './data-api.js'
import {examineRedshift} from './examine-redshift.js'
import {columnTravel, homeSource, parquetFiles, sentColumns} from './home-rows.js'
import {RedshiftRetrievalJob} from './redshift-retrieval-job.js'
import {redshiftSettings, type RedshiftSettings} from './redshift-settings.js'
import {hasRows, runWarehouseSteps} from './run-warehouse-steps.js'
import {StagingArea, type StagedParts} from './staging-area.js'
import {warehouseEntities} from './warehouse-entities.js'
import {readWarehouseSource} from './warehouse-source.js'
import {WarehouseSession} from './warehouse-session.js'

export const redshiftDriver: OfflineStoreDriver = {
  async open({settings: block, repoDirectory}) {
    const settings = redshiftSettings(block)
    // Rows that have come home are put side by side in what there is of memory, and the rest on disk.
    const instance = await openDatabase({memoryLimit: '256MB', ...block}, repoDirectory)
    const s3 = new S3Files(objectCache(block, repoDirectory))
    return new RedshiftOfflineStore(settings, await DataApi.open(settings), {instance, s3, repoDirectory})
  },
}

class RedshiftOfflineStore implements OfflineStore {
  readonly #settings: RedshiftSettings
  readonly #api: DataApi
  readonly #instance: DuckDBInstance
  readonly #databases: AttachedDatabases
  readonly #s3: S3Files
  readonly #repoDirectory: string

  constructor(
    settings: RedshiftSettings,
    api: DataApi,
    {instance, s3, repoDirectory}: {instance: DuckDBInstance; s3: S3Files; repoDirectory: string},
  ) {
    this.#settings = settings
    this.#api = api
    this.#instance = instance
    this.#databases = new AttachedDatabases(instance)
    this.#s3 = s3
    this.#repoDirectory = repoDirectory
  }

  cleanUp(writtenBy: Instant, options: {readonly dryRun: boolean}): Promise<LeftBehind> {
    return cleanUpStaging(this.#settings, writtenBy, options)
  }

  examine(clock: () => Instant): Examination {
    return examineRedshift(this.#settings, this.#api, clock)
  }

  async describeSource(tree: SourceTree): Promise<readonly SourceColumn[]> {
    await using session = new WarehouseSession(this.#api)
    const {columns} = await readWarehouseSource(session, tree)
    return columns.map(({name, nativeType}) => {
      const home = travelOf(nativeType, undefined)?.native
      const valueType = home === undefined ? undefined : valueTypeOf(home)
      return {name, nativeType, ...(valueType === undefined ? {} : {valueType})}
    })
  }

  async summarizeSource(query: SourceSummaryQuery, {signal}: ReadOptions = {}): Promise<SourceSummary> {
    await using session = new WarehouseSession(this.#api, signal)
    return await this.#reading(query.rows.source, async () => {
      const source = await readWarehouseSource(session, query.rows.source)
      const sql = compileSourceSummary(query, {rows: query.rows, source}, literalValues)
      // As text: the Data API rounds large integers.
      const names = ['rows', 'incomplete_rows', 'approximate_keys', 'newest_event', 'newest_created']
      const texts = [...names, 'created_at_count'].map((name) => `${quoteName(name)}::varchar`)
      const [row = []] = await session.rows(`SELECT ${texts.join(', ')} FROM (${sql}) AS summary`)
      return summaryOf(row)
    })
  }

  /** Nothing tells it without reading: a run that was stopped begins again. */
  sourceVersion(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async *readLatest(
    query: LatestPerEntityQuery,
    {signal}: ReadOptions = {},
  ): AsyncGenerator<LatestBatch, void, undefined> {
    const home = await this.#home()
    try {
      await using staging = await StagingArea.open(this.#settings)
      const {parts, readable, areSettled} = await this.#unloadLatest(query, staging, signal)
      if (areSettled) {
        for await (const path of staging.files(parts, signal)) {
          const local = {rows: query.rows, source: homeSource(readable, parquetFiles([path]))}
          yield* latestBatches(home, local, ...(await selected(home, local)), signal)
        }
        return
      }
      const files = await staging.fetch(parts, signal)
      const local = {rows: query.rows, source: homeSource(readable, files)}
      yield* newestBatches(home, all(query), local, signal)
    } catch (error) {
      throw sourceError(error, query.rows.source.source)
    } finally {
      await home[Symbol.asyncDispose]()
    }
  }

  async compareSnapshot(
    query: LatestPerEntityQuery,
    {previous, signal}: ReadOptions & {readonly previous: SnapshotFiles},
  ): Promise<SnapshotChanges> {
    const {home, staging, close} = await this.#workplace()
    try {
      const {parts, readable} = await this.#unloadLatest(query, staging, signal)
      const files = await staging.fetch(parts, signal)
      const local = {rows: query.rows, source: homeSource(readable, files)}
      return await DuckDbSnapshotChanges.compare(home, {
        query: all(query),
        readable: local,
        previous,
        signal,
        close,
      })
    } catch (error) {
      await close()
      throw sourceError(error, query.rows.source.source)
    }
  }

  async *readIncompleteRows(
    query: LatestPerEntityQuery,
    {signal}: ReadOptions = {},
  ): AsyncGenerator<ColumnBatch, void, undefined> {
    const home = await this.#home()
    try {
      await using staging = await StagingArea.open(this.#settings)
      await using session = new WarehouseSession(this.#api, signal)
      const source = await readWarehouseSource(session, query.rows.source)
      // A column that can't be had is no reason to lose the others.
      const readable = source.columns.filter(({nativeType}) => travelOf(nativeType, undefined) !== undefined)
      const travels = readable.map(({name, nativeType}) => columnTravel(name, nativeType))
      const select = compileIncompleteRows(
        query,
        {rows: query.rows, source: {...source, columns: readable}},
        literalValues,
        (column, index) => `${travels[index]?.sent(column) ?? ''} AS c${index}`,
      )
      const files = await staging.fetch(await staging.unload(session, select, 'kept'), signal)
      const columns = readable.map(({name}, index) => ({
        name,
        nativeType: travels[index]?.native ?? 'VARCHAR',
      }))
      const received = columns.map(
        ({name}, index) => `${travels[index]?.received(`c${index}`) ?? ''} AS ${quoteHome(name)}`,
      )
      const sql = `SELECT ${received.join(', ')} FROM ${files}`
      const stream = home.stream(selectValues(columns, sql), [], signal)
      const types = columns.map(({nativeType}) => frameTypeOf(nativeType))
      const names = columns.map(({name}) => asDefined(query, name))
      for await (const batch of columnBatches(stream, types, batchRows)) yield {...batch, names}
    } catch (error) {
      throw sourceError(error, query.rows.source.source)
    } finally {
      await home[Symbol.asyncDispose]()
    }
  }

  async retrieve(query: PointInTimeQuery): Promise<RetrievalJob> {
    const {home, staging, close} = await this.#workplace()
    try {
      await using session = new WarehouseSession(this.#api)
      const joins = await readJoins(query, (tree) => readWarehouseSource(session, tree))
      const repoDirectory = this.#repoDirectory
      const entities = await warehouseEntities({home, session, staging, query, joins, repoDirectory})
      checkEntityColumns(query, {columns: entities.columns, write: () => ''})
      return new RedshiftRetrievalJob({api: this.#api, home, staging, query, entities, joins, close})
    } catch (error) {
      await close()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]()
    await this.#s3[Symbol.asyncDispose]()
    this.#instance.closeSync()
  }

  /** The newest rows in S3. Where some of one key are left, to be settled here, it says so. */
  async #unloadLatest(
    query: LatestPerEntityQuery,
    staging: StagingArea,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly parts: StagedParts
    readonly readable: ReadableRows
    readonly areSettled: boolean
  }> {
    await using session = new WarehouseSession(this.#api, signal)
    const readable = {
      rows: query.rows,
      source: await readWarehouseSource(session, query.rows.source),
    }
    const script = compileLatestPerEntity(query, readable, literalValues)
    return await session.transaction(async () => {
      const latest = await runWarehouseSteps(session, {
        relations: script.relations,
        select: () => script.selectAs(sentColumns(readable, {alias: 'chosen'})),
      })
      const areSettled = settlingOrder(readable).isTotal || !(await hasRows(session, script.tied))
      const parts = await staging.unload(session, latest, query.order === 'key' ? 'kept' : 'any')
      return {parts, readable, areSettled}
    })
  }

  #reading<T>(tree: SourceTree, work: () => Promise<T>): Promise<T> {
    return work().catch((error: unknown) => {
      throw sourceError(error, tree.source)
    })
  }

  /** A session at home and a way to the warehouse, for work that outlives the call. */
  async #workplace(): Promise<{
    readonly home: DuckDbSession
    readonly staging: StagingArea
    readonly close: () => Promise<void>
  }> {
    const staging = await StagingArea.open(this.#settings)
    const home = await this.#home()
    const close = async (): Promise<void> => {
      await home[Symbol.asyncDispose]()
      await staging[Symbol.asyncDispose]()
    }
    return {home, staging, close}
  }

  async #home(): Promise<DuckDbSession> {
    return new DuckDbSession(await this.#instance.connect(), this.#databases, this.#s3)
  }
}

/** Rows at home that are chosen already. */
async function selected(home: DuckDbSession, local: ReadableRows) {
  const sql = `SELECT ${latestColumns(local).join(', ')} FROM ${typedRows(local)} AS typed`
  return [await home.describe(sql, []), {sql, parameters: new BoundValues().parameters}] as const
}

/** The same of rows that were selected already. */
function all(query: LatestPerEntityQuery): LatestPerEntityQuery {
  const {kind, rows, order} = query
  return {kind, rows, order, intervals: [], everyKey: true}
}

/** The name of a column as the definitions write it: the warehouse knows lower case only. */
function asDefined({rows}: LatestPerEntityQuery, name: string): string {
  const {timestampField, createdTimestampColumn} = rows.source.source
  const names = [...rows.keys, ...rows.features].map((column) => column.name)
  return [...names, timestampField, createdTimestampColumn].find((one) => one?.toLowerCase() === name) ?? name
}
