import type {Duration} from '../definitions/duration.js'
import type {SourcePosition} from '../errors.js'

/** `feature_store.yaml`, checked, variables filled in, camelCased. */
export interface RepoConfig {
  /** Absolute path of the folder that holds feature_store.yaml. */
  readonly directory: string
  readonly project: string
  /** A path, relative to the repo, or a URL. */
  readonly registry: string
  /** What else is said of the registry: as whom it is reached, and where. */
  readonly registrySettings: Readonly<Record<string, unknown>>
  readonly offlineStore: StoreConfig
  readonly onlineStore: StoreConfig & {
    /** How long after its ttl a row's space may be reclaimed; it then reads NOT_FOUND. A day by default. */
    readonly expireAfter: Duration
    readonly write: WriteSettings
  }
  readonly materialization: {
    /** Folder for rejected rows, relative to the repo. */
    readonly rejectsPath: string
    /** Folder for what views that are synced as a whole are compared with, relative to the repo. */
    readonly snapshotsPath: string
    /** Views loaded side by side. */
    readonly parallel: number
  }
  /** Where something stands in the file: itself, or what it would stand in. */
  readonly locate: (path: readonly string[]) => SourcePosition
}

/** How loads write to the online store. */
export interface WriteSettings {
  readonly pacing: 'adaptive' | 'static'
  /** Rows; as many as the store takes by default. */
  readonly maxWritesPerSecond?: number
  /** Requests that wait for an answer at once. */
  readonly maxConcurrency: number
  /** What one in a hundred reads of the store should not take longer than. */
  readonly latencyTargetMillis: number
  /** Runs that write at once, from any machine. */
  readonly maxConcurrentRuns: number
  /** How long a run waits for its turn. */
  readonly lockTimeout: Duration
}

export interface StoreConfig {
  readonly type: string
  /** The other keys of the block, camelCased. */
  readonly settings: Readonly<Record<string, unknown>>
}
