/**
 * The contract of a registry: one document a project, read whole and replaced whole by compare-and-set.
 * `test/conformance/registry.ts` is its meaning.
 */
import type {Definitions} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {ValueType} from '../definitions/value-type.js'
import type {Examination} from '../examination.js'

/** Who may load a view now. A lease that expired, or whose process is gone, is free to take. */
export interface Lease {
  readonly runId: string
  /** Host and process that hold it, so that a dead holder on the same machine is recognised at once. */
  readonly holder: ProcessIdentity
  readonly since: Instant
  readonly expiresAt: Instant
}

export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** Changes with every boot of the machine. */
  readonly bootId: string
  /** When the process started, in the system's own unit: tells a reused pid. Empty where the system does not say. */
  readonly startedAt: string
}

/** What is known of a view beyond its definition. */
export interface ViewState {
  /** Its table in the online store. */
  readonly table: string
  /** Features that the view lost while rows of its table may still hold them: their names mean these types there. */
  readonly retiredFeatures?: readonly {readonly name: string; readonly valueType: ValueType}[]
  /** Which online store holds what was loaded: see `store-identity.ts`. */
  readonly storeId?: string
  /** Number of the last load that wrote to it: see `load-number.ts`. */
  readonly loadNumber?: number
  /** What was loaded completely, merged and sorted. */
  readonly covered: readonly Interval[]
  /** Newest event timestamp that any run wrote. */
  readonly newestEventTimestamp?: Instant
  /** Newest created timestamp in the source at the last incremental run, and how many rows had exactly that. */
  readonly arrival?: {readonly created: Instant; readonly rows: number}
  readonly lease?: Lease
  /** How far a load came that has not ended. */
  readonly checkpoint?: Checkpoint
  /** Of a view that is synced as a whole: what is online, to compare the source with. */
  readonly snapshot?: SnapshotState
  /** Syncs that have begun to write since: what they would have made of it may be online, or not. */
  readonly begunSyncs?: readonly BegunSync[]
  /** Loaded in the place of `table`; see `replacement.ts`. */
  readonly replacement?: Replacement
  readonly lastRun?: {readonly runId: string; readonly status: 'ok' | 'failed'; readonly finishedAt: Instant}
}

export interface Replacement {
  readonly table: string
  /** Of the online store that it is in; absent where that had no identity yet. */
  readonly storeId?: string
  /** As those of `ViewState`. */
  readonly begunSyncs?: readonly BegunSync[]
}

export interface BegunSync {
  readonly runId: string
  /** Who may still write; absent when that run has ended. */
  readonly holder?: ProcessIdentity
  readonly begunAt: Instant
  /** As that of `SnapshotState`. */
  readonly file: string
}

export interface SnapshotState {
  /** The file that holds keys, times and hashes, in the folder of snapshots. */
  readonly file: string
  readonly rows: number
}

/** A load that goes through the keys in their order, and how far it came: all up to `after` is online. */
export interface Checkpoint {
  readonly runId: string
  readonly begunAt: Instant
  /** Tells this load from others; see `loadIdentity`. */
  readonly identity: string
  /** What the load began with: a store with an older one has lost some of it. See `load-number.ts`. */
  readonly loadNumber?: number
  /** What is covered when it has ended. */
  readonly intervals: readonly Interval[]
  /** What it reads. */
  readonly read: readonly Interval[]
  readonly arrived?:
    {readonly after: Instant; readonly orEqual: boolean; readonly within: Interval} | undefined
  readonly knownBy?: Instant
  /** What has arrived when it began: what came later is late. */
  readonly arrival?: NonNullable<ViewState['arrival']>
  readonly newestEventTimestamp?: Instant
  /** The last key whose row was acknowledged, with all before it: a text for each part. */
  readonly after: readonly string[]
  /** Rows that were acknowledged by then, and those that were rejected. */
  readonly rows: number
  readonly rejected: number
}

export interface RowCounts {
  readonly read: number
  readonly written: number
  readonly unchanged: number
  readonly rejected: number
  readonly deleted: number
}

export interface ViewRun {
  readonly name: string
  readonly status: 'running' | 'ok' | 'failed'
  /** What this run loaded. */
  readonly intervals: readonly Interval[]
  readonly rows: RowCounts
  /** By name of a source whose table keeps its snapshots: the one that was read, such as `delta version 8`. */
  readonly snapshots?: Readonly<Record<string, string>>
  /** Why no rows were found, warnings, and the like: for people. */
  readonly notes?: readonly string[]
  readonly error?: {readonly code: string; readonly message: string; readonly hint?: string}
  /** Where rejected rows were kept, relative to the repo. */
  readonly rejectsFile?: string
}

/** What a run's writing to a store that is a server was like. */
export interface RunWriting {
  readonly requests: number
  /** Requests that were sent again, by the reason. */
  readonly retries: Readonly<Record<string, number>>
  /** How long the run waited for other runs on the store. */
  readonly waitedForTurnMillis: number
  /** How long pacing held requests back, all taken together. */
  readonly heldBackMillis: number
  /** From sending a request to its acknowledgement. */
  readonly p50Millis: number
  readonly p99Millis: number
  /** Rows that were acknowledged in each interval since the first request. */
  readonly rate: {readonly everyMillis: number; readonly rows: readonly number[]}
}

export interface RunRecord {
  readonly id: string
  readonly command: 'materialize' | 'materialize-incremental'
  /** `interrupted`: stopped by the user. A run that shows `running` and whose process is gone was killed. */
  readonly status: 'running' | 'ok' | 'failed' | 'interrupted'
  readonly holder: ProcessIdentity
  readonly startedAt: Instant
  readonly finishedAt?: Instant
  readonly views: readonly ViewRun[]
  readonly writing?: RunWriting
}

/** Everything that is known of a project. Plain data. */
export interface RegistryDocument {
  readonly project: string
  readonly definitions: Definitions
  /** By name of the view. */
  readonly views: Readonly<Record<string, ViewState>>
  /** Tables whose views are gone and that the online store may still hold: dropped, then forgotten. */
  readonly pendingDrops: readonly string[]
  /** Tables that an apply is creating. Left by one that was killed, they become pending drops at the next. */
  readonly reservedTables?: readonly string[]
  /** Tables that were dropped, the last ones first: their names are not given again. */
  readonly formerTables?: readonly string[]
  /** Newest first; old ones are forgotten. */
  readonly runs: readonly RunRecord[]
}

export interface RegistrySnapshot {
  /** Unique to each commit; never reused, also not after a teardown. */
  readonly revision: string
  readonly document: RegistryDocument
}

export interface Registry extends AsyncDisposable {
  /** The newest committed document; an empty one, at a revision of its own, when the project was never applied. */
  read(): Promise<RegistrySnapshot>

  /**
   * Replaces the document if its revision is still `expectedRevision`; else throws FS_REGISTRY_CONFLICT and changes
   * nothing. Durable when the promise settles.
   */
  commit(document: RegistryDocument, expectedRevision: string): Promise<RegistrySnapshot>

  /** Looks at it by harmless calls: may it be written. That it can be read, `read` tells. */
  examine(clock: () => Instant): Examination

  /** Forgets the project. Safe to run twice. */
  destroy(): Promise<void>
}

/** How a registry comes into being; one record per driver folder. */
export interface RegistryDriver {
  open(options: {
    /** The `registry` value of feature_store.yaml, or `path` in it. */
    readonly location: string
    /** The other keys of a `registry` that is a block, camelCased. */
    readonly settings?: Readonly<Record<string, unknown>>
    readonly project: string
    /** Absolute; a relative location is relative to it. */
    readonly repoDirectory: string
  }): Promise<Registry>
}
