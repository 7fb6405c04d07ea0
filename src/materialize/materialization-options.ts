import type {Duration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {OnlineStore} from '../online/online-store.js'
import type {Checkpoint, ProcessIdentity, Registry} from '../registry/registry.js'
import type {SourcePins} from './source-pins.js'
import type {StoreWriter, WriteSettings} from './store-writer.js'

/** How far the load of one view has come. */
export interface MaterializeProgress {
  readonly view: string
  /** `waiting`: for another run that loads the view, or that writes to the store, or for the store itself. */
  readonly phase: 'waiting' | 'reading' | 'writing' | 'done' | 'failed'
  /** Entities settled so far: written, or found to be there already. */
  readonly rows: number
  /** The engine's estimate of how many there will be. */
  readonly approximateTotal?: number
  /** Whom a run waits for that may not write to the store yet. */
  readonly waitingFor?: readonly string[]
  /** Why the store takes no rows at the moment. */
  readonly storeFailure?: string
}

export interface MaterializationOptions {
  readonly command: 'materialize' | 'materialize-incremental'
  /** Only for `materialize`: null is the beginning of time. */
  readonly start?: Instant | null
  /** Now by default. An end after now is cut to now, and the run says so. */
  readonly end?: Instant
  /** Names of views; all that are online by default. */
  readonly views?: readonly string[] | undefined
  /** Views loaded side by side. */
  readonly parallel: number
  /** How long to wait for a view that another run holds; not at all by default. */
  readonly wait?: Duration
  /** A view with more rejected rows than this counts as failed, although all other rows were loaded. */
  readonly maxRejects: number
  readonly registry: Registry
  readonly openOfflineStore: () => Promise<OfflineStore>
  readonly openOnlineStore: () => Promise<OnlineStore>
  /** A reader of the online store with a connection of its own, which the run closes. */
  readonly openReader: () => Promise<OnlineStore>
  /** Absolute; rejected rows go to `<run id>/<view>.jsonl` in it. */
  readonly rejectsDirectory: string
  /** Absolute; what views that are synced as a whole are compared with. */
  readonly snapshotsDirectory: string
  /** Absolute. The run's record names files of rejected rows relative to it, and without it by their whole path. */
  readonly repoDirectory?: string
  /** How long after its ttl a row's space may be reclaimed. */
  readonly expireAfter: Duration
  /** How the run may use the online store. */
  readonly write: WriteSettings
  /** Who runs this, for others that find a view held. */
  readonly process: ProcessIdentity
  /** False when a process is surely gone, undefined when that can't be told from here. */
  readonly isAlive: (holder: ProcessIdentity) => boolean | undefined
  /** What `now` means for the data; may be a fixed instant. */
  readonly now: () => Instant
  /** The machine's clock: for leases and the times of runs. */
  readonly clock: () => Instant
  readonly newRunId: () => string
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: MaterializeProgress) => void) | undefined
}

/** What all parts of one run share. */
export interface MaterializationContext extends MaterializationOptions {
  readonly runId: string
  readonly writer: StoreWriter
  readonly pins: SourcePins
  /** Notes how far the load of a view has come; now and then it is registered. */
  readonly saveCheckpoint: (view: string, checkpoint: Checkpoint) => void
  /** Registers that a sync of a view begins to write what the file says to a table. Throws FS_LEASE_LOST. */
  readonly beginSync: (view: string, table: string, file: string) => Promise<void>
}
