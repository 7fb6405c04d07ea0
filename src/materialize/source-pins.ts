import type {SourceTree} from '../compile/query.js'
import type {OfflineStore, PinnedSource} from '../offline/offline-store.js'

/** The snapshots that one run reads: of each table the same one for every view, whatever is committed meanwhile. */
export class SourcePins {
  readonly #pins = new Map<string, Promise<PinnedSource | undefined>>()

  /** The sources with their snapshots, and the names of those by name of the source. Throws FS_SOURCE_UNREADABLE. */
  async pin(
    offline: Pick<OfflineStore, 'pinSource'>,
    {source, inputs}: SourceTree,
  ): Promise<{readonly tree: SourceTree; readonly snapshots: Readonly<Record<string, string>>}> {
    const pinned = await this.#pinOne(offline, source)
    const snapshots = pinned === undefined ? {} : {[source.name]: pinned.snapshot}
    const pinnedInputs: Record<string, SourceTree> = {}
    for (const [name, input] of Object.entries(inputs)) {
      const found = await this.pin(offline, input)
      pinnedInputs[name] = found.tree
      Object.assign(snapshots, found.snapshots)
    }
    return {tree: {source: pinned?.source ?? source, inputs: pinnedInputs}, snapshots}
  }

  #pinOne(
    offline: Pick<OfflineStore, 'pinSource'>,
    source: SourceTree['source'],
  ): Promise<PinnedSource | undefined> {
    // An apply may change a source while the run goes on.
    const key = JSON.stringify(source)
    const known = this.#pins.get(key)
    if (known !== undefined) return known
    const pin = Promise.resolve(offline.pinSource?.(source))
    this.#pins.set(key, pin)
    return pin
  }
}
