/**
 * The contract of an offline store: it describes sources, computes newest rows and joins training frames, and hands
 * rows over as column batches. `test/conformance/offline-store.ts` is its meaning.
 */
import type {SnapshotFiles} from '../compile/snapshot-changes.js'
import type {Examination} from '../examination.js'
import type {
  LatestPerEntityQuery,
  PointInTimeQuery,
  SourceSummaryQuery,
  SourceTree,
  TypedColumn,
} from '../compile/query.js'
import type {Column, ColumnBatch} from '../definitions/column-batch.js'
import type {DataSource} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import type {Value, ValueType} from '../definitions/value-type.js'

/** A column as the engine sees it; `valueType` is absent when no value type can hold it. */
export interface SourceColumn {
  readonly name: string
  readonly nativeType: string
  readonly valueType?: ValueType
}

export interface SourceSummary {
  /** Rows selected: what a `LatestPerEntityQuery` with the same selection reads. */
  readonly rows: number
  /** Of those, rows with a null in a key or without an event time: they can't be written. */
  readonly incompleteRows: number
  /** About how many distinct keys the selected rows have (for progress bars). */
  readonly approximateKeys: number
  /** Over the whole source, selected or not; null when it has no row. */
  readonly newestEventTimestamp: Instant | null
  readonly newestCreatedTimestamp: Instant | null
  /** Rows created exactly at `countCreatedAt`; 0 when that was not asked. */
  readonly createdAtCount: number
}

/**
 * A batch of newest rows: key columns, then the event timestamp, then the created timestamp (all null when the source
 * has none), then features, each named; see `LatestBatch`.
 */
export interface LatestBatch extends ColumnBatch {
  /** Where the parts begin in `columns`: keys at 0, then these. */
  readonly eventTimestampIndex: number
  readonly createdTimestampIndex: number
  readonly featuresIndex: number
  /** Rows whose newest version holds a value that its declared type can't hold; they must not be written. */
  readonly misfits: readonly {readonly row: number; readonly feature: string; readonly value: string}[]
}

/** Keys of rows that are gone, and the times that they had. */
export interface RemovedBatch {
  readonly rowCount: number
  readonly keys: readonly Column[]
  readonly eventTimestamps: Column
  readonly createdTimestamps: Column
}

/** What is new, changed or gone in a source that is the whole truth. Close it in the end. */
export interface SnapshotChanges extends AsyncDisposable {
  /** Numbers of rows: new or changed; gone; all that the source has now. */
  readonly counts: {readonly changed: number; readonly gone: number; readonly all: number}
  /** Rows that are new or changed, without those that went back in time. */
  changed(options?: ReadOptions): AsyncIterable<LatestBatch>
  /** Changed rows that went back in time, each batch with what they were: that must be removed to make room for them. */
  wentBack(options?: ReadOptions): AsyncIterable<{readonly now: LatestBatch; readonly before: RemovedBatch}>
  gone(options?: ReadOptions): AsyncIterable<RemovedBatch>
  /** Writes what there is now to a file, whole and durably, to be compared with the next time; of keys that were not written, what there was. */
  save(path: string, notWritten: readonly (readonly Value[])[]): Promise<void>
}

export type FrameFormat = 'parquet' | 'csv' | 'json' | 'arrow'

export interface ReadOptions {
  /** Stops the engine; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** A training frame that was checked and compiled and has not run yet. Run it once, then close it. */
export interface RetrievalJob extends AsyncDisposable {
  /** Columns of the frame, in order. */
  readonly columns: readonly TypedColumn[]
  /** The statement that would run, for people to read; parameters are shown as literals. */
  readonly sql: string
  /** The engine writes the file itself. On any failure no file is left behind (and an earlier one is untouched). */
  writeFile(path: string, format: FrameFormat, options?: ReadOptions): Promise<{readonly rows: number}>
  /** Rows in order, streamed. `limit` reads no more than that many. */
  batches(options?: ReadOptions & {readonly limit?: number}): AsyncIterable<ColumnBatch>
  /** Rows of the frame; equals the rows of the entity input. */
  countRows(): Promise<number>
}

/** A source that reads the same rows whatever is committed to its table. */
export interface PinnedSource {
  readonly source: DataSource
  /** For people and for the record of a run: `delta version 8`. */
  readonly snapshot: string
}

export interface OfflineStore extends AsyncDisposable {
  /** Columns of a source after its field mapping. Throws FS_SOURCE_UNREADABLE with the path or table that failed. */
  describeSource(source: SourceTree): Promise<readonly SourceColumn[]>
  summarizeSource(query: SourceSummaryQuery, options?: ReadOptions): Promise<SourceSummary>
  /**
   * A text that is another when the source's rows are, as far as that can be told without reading them: what was written
   * by `modifiedBy`. What was only added since then does not change it. Undefined where it can't be told.
   */
  sourceVersion(source: SourceTree, modifiedBy: Instant): Promise<string | undefined>
  /**
   * The source as it is now, for everything that one run reads: a table that keeps its snapshots at exactly one of them.
   * Undefined for other sources; absent where the engine reads no such tables. Throws FS_SOURCE_UNREADABLE.
   */
  pinSource?(source: DataSource): Promise<PinnedSource | undefined>
  /** Streams the newest row of each key; rows without a key or an event time are left out. */
  readLatest(query: LatestPerEntityQuery, options?: ReadOptions): AsyncIterable<LatestBatch>
  /**
   * Compares the newest row of each key with what `save` has written to the files `previous`; without one all rows are
   * new. Throws FS_SOURCE_UNREADABLE.
   */
  compareSnapshot(
    query: LatestPerEntityQuery,
    options: ReadOptions & {readonly previous: SnapshotFiles},
  ): Promise<SnapshotChanges>
  /** Streams the selected rows without a key or an event time, as they are in the source. */
  readIncompleteRows(query: LatestPerEntityQuery, options?: ReadOptions): AsyncIterable<ColumnBatch>
  /**
   * Removes what runs that did not end have left outside of this machine, where the last of it was written at or before an
   * instant. Absent where runs leave nothing there.
   */
  cleanUp?(writtenBy: Instant, options: {readonly dryRun: boolean}): Promise<LeftBehind>
  /** Looks at the engine, at what it writes to, and at what it needs for some sources. */
  examine(clock: () => Instant, sources: readonly DataSource[]): Examination
  /** Checks columns and types of the entity rows and compiles the join. Reads no more than it needs for that. */
  retrieve(query: PointInTimeQuery): Promise<RetrievalJob>
}

/** What was left behind by runs that did not end. */
export interface LeftBehind {
  /** Where such things lie. */
  readonly location: string
  readonly runs: number
  readonly objects: number
  /** Uploads in parts that did not end; how large their parts are is not known. */
  readonly uploads: number
  /** Of the objects. */
  readonly bytes: number
}

/** How a store comes into being; one record per driver folder. */
export interface OfflineStoreDriver {
  /** `settings` is the validated `offline_store` block, camelCased, without `type`. */
  open(options: {
    readonly settings: Readonly<Record<string, unknown>>
    /** Absolute; paths of sources are relative to it. */
    readonly repoDirectory: string
  }): Promise<OfflineStore>
}
