import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {WriteResult} from '../online/online-store.js'
import type {ViewRun} from '../registry/registry.js'
import type {RejectsFile} from './rejects-file.js'

/** Counts one view's load while it runs, so that a load that fails can still say what it did. */
export class ViewTally {
  readonly rejects: RejectsFile
  /** Of a load that this one went on with: kept in the file of the run that began it. */
  rejectedBefore = 0
  /** What the load covers; told when it has ended well. */
  intervals: readonly Interval[] = []
  notes: readonly string[] = []
  /** By name of a source: the snapshot that is read of it. */
  snapshots: Readonly<Record<string, string>> = {}
  /** The next run tries rows again that this one rejected. */
  triesRejectsAgain = false
  read = 0
  deleted = 0
  /** Newest event time among rows that the store was given. */
  newestEventTimestamp: Instant | undefined
  #written = 0
  #unchanged = 0

  constructor(rejects: RejectsFile) {
    this.rejects = rejects
  }

  /** Rows that the store has settled. */
  get settled(): number {
    return this.#written + this.#unchanged
  }

  /** Rows that did not have to be written. */
  addUnchanged(rows: number): void {
    this.#unchanged += rows
  }

  get rejected(): number {
    return this.rejects.count + this.rejectedBefore
  }

  addWritten(result: WriteResult, eventTimestamps: BigInt64Array): void {
    this.#written += result.written
    this.#unchanged += result.unchanged
    let newest = this.newestEventTimestamp
    for (const time of eventTimestamps) if (newest === undefined || time > newest) newest = time
    this.newestEventTimestamp = newest
  }

  /** The view's part of the run's record. `rejectsFile` is how the record names the file of rejects. */
  toViewRun(
    name: string,
    {
      status,
      error,
      rejectsFile,
    }: {
      readonly status: ViewRun['status']
      readonly error?: ViewRun['error']
      readonly rejectsFile: string
    },
  ): ViewRun {
    return {
      name,
      status,
      intervals: this.intervals,
      rows: {
        read: this.read,
        written: this.#written,
        unchanged: this.#unchanged,
        rejected: this.rejected,
        deleted: this.deleted,
      },
      ...(Object.keys(this.snapshots).length === 0 ? {} : {snapshots: this.snapshots}),
      ...(this.notes.length === 0 ? {} : {notes: this.notes}),
      ...(error === undefined ? {} : {error}),
      ...(this.rejects.count === 0 ? {} : {rejectsFile}),
    }
  }
}
