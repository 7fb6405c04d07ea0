import type {FeatureRows} from '../compile/query.js'
import type {Instant} from '../definitions/instant.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {ViewState} from '../registry/registry.js'

/** Tells rows that came into the source after the last incremental run looked: the next one reads them. */
export class Arrivals {
  readonly #seen: ViewState['arrival']
  readonly #countCreatedAt: (created: Instant) => Promise<number>
  #moreAtSeen: Promise<boolean> | undefined

  /** `seen` is what the view's state says of the last run. */
  constructor(seen: ViewState['arrival'], rows: FeatureRows, offline: Pick<OfflineStore, 'summarizeSource'>) {
    this.#seen = seen
    this.#countCreatedAt = async (countCreatedAt) => {
      const query = {kind: 'source_summary', rows, intervals: [], countCreatedAt} as const
      return (await offline.summarizeSource(query)).createdAtCount
    }
  }

  /** False where it can't be told. */
  async isNew(created: Instant | null): Promise<boolean> {
    const seen = this.#seen
    if (seen === undefined || created === null || created < seen.created) return false
    if (created > seen.created) return true
    // One of several rows created in the same instant: some came later when the source has another number of them now.
    this.#moreAtSeen ??= this.#countCreatedAt(created).then((count) => count !== seen.rows)
    return this.#moreAtSeen
  }
}
