/**
 * What an offline store is asked, as plain data: it says what is wanted and no engine's SQL. Dialects compile it.
 */
import type {DataSource} from '../definitions/definition.js'
import type {Duration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {KeyType, Value, ValueType} from '../definitions/value-type.js'

export interface TypedColumn {
  readonly name: string
  readonly valueType: ValueType
}

export interface KeyColumn {
  readonly name: string
  readonly valueType: KeyType
}

/** A source with the sources that its query names, by name. */
export interface SourceTree {
  readonly source: DataSource
  readonly inputs: Readonly<Record<string, SourceTree>>
}

/**
 * The rows of a feature view: its source, with keys and features cast to their declared types. Columns are named as
 * after `fieldMapping`.
 */
export interface FeatureRows {
  readonly view: string
  readonly source: SourceTree
  readonly keys: readonly KeyColumn[]
  readonly features: readonly TypedColumn[]
}

/** Rows whose event time lies in one of `intervals`, or that `arrived` late. */
export interface RowSelection {
  readonly intervals: readonly Interval[]
  /** Also rows in `within` whose created timestamp is after `after` (or equal, with `orEqual`). */
  readonly arrived?:
    {readonly after: Instant; readonly orEqual: boolean; readonly within: Interval} | undefined
  /** Only rows created by then. */
  readonly knownBy?: Instant | undefined
}

/** The newest row of each key among the selected rows. */
export interface LatestPerEntityQuery extends RowSelection {
  readonly kind: 'latest_per_entity'
  readonly rows: FeatureRows
  /** `key`: rows come sorted by key, which is what a B-tree wants; `any`: as the engine likes. */
  readonly order: 'key' | 'any'
  /** Only keys that come after this one, in their order: values of the keys' types. */
  readonly after?: readonly Value[] | undefined
  /** Keys without a selected row come too, with the newest of all their rows. */
  readonly everyKey?: boolean
  /**
   * No more than `size` of the keys: those whose hash, together with the seed, is smallest. So one seed picks the same
   * keys again, a larger sample holds the smaller one, and only the sampled rows are read whole.
   */
  readonly sample?: {readonly size: number; readonly seed: bigint} | undefined
}

/** What the run must know of a source before it reads: one pass over keys and times. */
export interface SourceSummaryQuery extends RowSelection {
  readonly kind: 'source_summary'
  readonly rows: FeatureRows
  /** Count the rows created at exactly this instant, wherever their event time lies. */
  readonly countCreatedAt?: Instant
}

/** One view's part in a training frame. */
export interface ViewJoin {
  /** Unique in the query; names intermediate relations. */
  readonly alias: string
  readonly rows: FeatureRows
  /** For each key of `rows`, in order, the column of the entity rows that holds it. */
  readonly entityColumns: readonly string[]
  /** Absent: for ever. */
  readonly ttl?: Duration
  /** Only rows created by the entity row's time are candidates. */
  readonly knowledgeTime: boolean
  /** The features asked for, in order, and the names they get in the frame. */
  readonly outputs: readonly {readonly feature: string; readonly as: string}[]
}

/** Where entity rows come from. */
export type EntityRows =
  | {readonly kind: 'file'; readonly path: string; readonly format: 'parquet' | 'csv' | 'json' | 'arrow'}
  /** SQL over data sources, which it names as tables. */
  | {readonly kind: 'sql'; readonly sql: string; readonly inputs: Readonly<Record<string, SourceTree>>}
  /** Every feature row of the joined views with an event time in the interval, as of its own event time. */
  | {readonly kind: 'interval'; readonly interval: Interval}
  /** Rows already in JavaScript (the SDK). Value types are given, not guessed. */
  | {
      readonly kind: 'values'
      readonly columns: readonly TypedColumn[]
      readonly rows: readonly (readonly unknown[])[]
    }

/** A training frame: one row for each entity row, in order, all its columns first, then the outputs of each join. */
export interface PointInTimeQuery {
  readonly kind: 'point_in_time'
  readonly entityRows: EntityRows
  /** Column of the entity rows that holds the event time. */
  readonly timestampColumn: string
  readonly joins: readonly ViewJoin[]
  /** Candidates are only rows created at or before this instant, in every view. */
  readonly asKnownAt?: Instant
}
