/**
 * The contract of an online store: the newest row of each entity, guarded against older ones, read in one round trip.
 * `test/conformance/online-store.ts` is its meaning.
 */
import type {Column} from '../definitions/column-batch.js'
import type {Field, JoinKey} from '../definitions/definition.js'
import type {Duration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import type {Examination} from '../examination.js'
import type {LoadNumbers} from './load-number.js'
import type {WritePacer} from './pacing/write-pacer.js'
import type {SharedNotes} from './shared-note.js'

/** A feature view as an online store sees it. */
export interface OnlineTable {
  /** Name of the view, for messages. */
  readonly view: string
  /**
   * Name of the table, unique in the project. A view gets a new one when its rows can't be carried over (changed keys,
   * changed types), so that readers go on with the old table until the plan is committed.
   */
  readonly name: string
  readonly joinKeys: readonly JoinKey[]
  readonly features: readonly Field[]
  /** Rows may be removed by `remove`, and come back with older times. */
  readonly isSnapshot?: boolean
}

/** Rows to write: one slot of every column is one row. Keys are never null. */
export interface OnlineRows {
  readonly rowCount: number
  /** In the order of the table's join keys. */
  readonly keys: readonly Column[]
  readonly eventTimestamps: Extract<Column, {storage: 'int64'}>
  /** Null is older than any instant. */
  readonly createdTimestamps: Extract<Column, {storage: 'int64'}>
  /** In the order of the table's features. */
  readonly features: readonly Column[]
}

/** Rows to remove: their keys, and the times that they had. */
export type RemovedRows = Omit<OnlineRows, 'features'>

/** How long a store that expires rows by itself keeps them: `keepFor` from their event time on, where it is `now`. */
export interface RowLife {
  readonly keepFor: Duration
  readonly now: Instant
}

/** How rows are sent to a store that is a server. An embedded store has no use for it. */
export interface WriteFlow {
  /** Decides when requests are sent. Without one, a moderate number is in flight, and refusals are waited out for a while. */
  readonly pacer?: WritePacer | undefined
  /** `sent`: a store that would have to read first to know better counts each row it took as written. Default: exact. */
  readonly counts?: 'exact' | 'sent' | undefined
}

export interface WriteResult {
  readonly written: number
  /**
   * Rows that left the store as it was: it holds a newer row, or the very same one. A row that had to be sent again because
   * the answer of the store was lost may count so, too.
   */
  readonly unchanged: number
  /** Rows the store can't hold (a key that is too long, say); the others of the batch were written. */
  readonly rejected: readonly {readonly row: number; readonly reason: string}[]
}

/** An entity's key: one value for each join key of the table, in order, of the join key's type; never null. */
export type EntityKey = readonly Value[]

export interface ReadRequest {
  readonly table: OnlineTable
  readonly keys: readonly EntityKey[]
  /** Names of features, in the order wanted. */
  readonly features: readonly string[]
}

export interface OnlineRow {
  readonly eventTimestamp: Instant
  /** In the order of the request; null where the row has none (or was written before the feature existed). */
  readonly values: readonly (Value | null)[]
}

export interface OnlineStore extends AsyncDisposable {
  /** The order in which rows are best written: sorted by key for B-trees. */
  readonly writeOrder: 'key' | 'any'

  /** Whether `write` asks the pacer; a store that is a file of this machine has no use for it. */
  readonly isPaced: boolean

  /** Writable when the store was opened to write and prepared; of a store that was never prepared they may not be readable. */
  readonly notes: SharedNotes

  /** They go with their tables. */
  readonly loads: LoadNumbers

  /** Creates what the tables need, or extends them by new features. Safe to run twice. Throws on changed key types. */
  prepare(tables: readonly OnlineTable[]): Promise<void>

  /** Removes tables and their rows by name. Safe to run twice, and for names that never were. Bounded memory. */
  drop(tables: readonly string[]): Promise<void>

  /** How other programs call a table, in a store whose rows they may read; undefined in the others. */
  nameForOthers(table: string): string | undefined

  /** Names of all tables of the project that the store holds. */
  listTables(): Promise<readonly string[]>

  /**
   * Guarded write. (event timestamp, created timestamp) decides: an older row never replaces a newer one; a row equal
   * in both replaces what is there. A reader sees the whole old row or the whole new one. When the promise settles the
   * rows are durable; when it fails any part of them may be there, and writing them again is harmless. Without `life`
   * rows are kept for ever. Throws FS_STORE_UNAVAILABLE, and FS_VIEW_CHANGED where the table is gone or has another schema.
   */
  write(table: OnlineTable, rows: OnlineRows, life?: RowLife, flow?: WriteFlow): Promise<WriteResult>

  /**
   * Removes rows of a table whose `isSnapshot` is set, each unless a newer one than told is there. Safe to run twice.
   * Returns how many rows were given to it that the store no longer holds. Throws FS_STORE_UNAVAILABLE.
   */
  remove(table: OnlineTable, rows: RemovedRows, flow?: Pick<WriteFlow, 'pacer'>): Promise<number>

  /**
   * One round trip for all requests. Answers in the order of requests and keys; undefined where there is no row. Throws
   * FS_STORE_UNAVAILABLE.
   */
  read(requests: readonly ReadRequest[]): Promise<readonly (readonly (OnlineRow | undefined)[])[]>

  /** Looks at the store by harmless calls, opened to read: is it there, may it be written, is its clock that of this machine. */
  examine(clock: () => Instant): Examination

  /**
   * The processes that hold what was written and may take some of it with them when they end, by ids that no other process
   * ever has. None where what was acknowledged outlives the process, or nobody can tell.
   */
  volatileServers(signal?: AbortSignal): Promise<readonly string[]>

  /** Rows in the table; undefined where the store can't tell cheaply. */
  countRows(table: OnlineTable): Promise<number | undefined>

  /** Reclaims the space of rows with an event timestamp before `before`; returns how many. A store that expires rows by itself does nothing. */
  removeExpired(table: OnlineTable, before: Instant): Promise<number>
}

/** How a store comes into being; one record per driver folder. */
export interface OnlineStoreDriver {
  /** `settings` is the validated `online_store` block, camelCased, without `type`. */
  open(options: {
    readonly settings: Readonly<Record<string, unknown>>
    readonly project: string
    /** Absolute; relative paths in settings are relative to it. */
    readonly repoDirectory: string
    /** A reader creates nothing and takes no write lock. */
    readonly access: 'read' | 'write'
    /** The machine's time, which logins may be signed with; by default what has passed since the process began. */
    readonly clock?: () => Instant
  }): Promise<OnlineStore>
}
