import type {Duration} from './definitions/duration.js'
import type {Instant} from './definitions/instant.js'
import type {Registry, RegistryDocument} from './registry/registry.js'
import type {OnlineReader} from './retrieval/online-reader.js'
import {equalSelections, selectionKey, type FeatureSelection} from './retrieval/resolve-features.js'

/** How long a reader may go on with definitions that another process has replaced, in microseconds. */
const freshFor: Duration = 2_000_000n

/** Selections kept prepared; a program asks for a few, and who makes them up at run time must not fill the memory. */
const keptReaders = 100

/**
 * What is registered, as online reads need it: looked at again every two seconds at most, with each selection prepared
 * once, so that a read costs a look-up and no parsing.
 */
export class AppliedRepo {
  readonly #openRegistry: () => Promise<Registry>
  readonly #clock: () => Instant
  #readers = new Map<string, OnlineReader>()
  /** The selection of the latest read, which most often is that of the next. */
  #latest: {readonly selection: FeatureSelection; readonly reader: OnlineReader} | undefined
  #snapshot: Promise<RegistryDocument> | undefined
  #revision = ''
  #readAt: Instant = 0n

  constructor(openRegistry: () => Promise<Registry>, clock: () => Instant) {
    this.#openRegistry = openRegistry
    this.#clock = clock
  }

  /** A promise only where there is something to wait for. Throws what `prepareOnlineFeatures` throws. */
  onlineReader(selection: FeatureSelection, expireAfter: Duration): OnlineReader | Promise<OnlineReader> {
    const latest = this.#latest
    return latest !== undefined &&
      this.#isFresh(this.#clock()) &&
      equalSelections(latest.selection, selection)
      ? latest.reader
      : this.#prepare(selection, expireAfter)
  }

  /** Forgets what it knows: this very process changed it. */
  forget(): void {
    this.#snapshot = undefined
    this.#latest = undefined
  }

  async #prepare(selection: FeatureSelection, expireAfter: Duration): Promise<OnlineReader> {
    const snapshot = this.#document()
    const {definitions, views} = await snapshot
    const {features, featureService, fullFeatureNames} = selection
    // A copy: the caller's list may change.
    const kept = {features: features && [...features], featureService, fullFeatureNames}
    const key = selectionKey(kept)
    let reader = this.#readers.get(key)
    const isNew = reader === undefined
    if (reader === undefined) {
      const {prepareOnlineFeatures} = await import('./retrieval/online-reader.js')
      reader = prepareOnlineFeatures({definitions, views, selection: kept, expireAfter})
    }
    // Other definitions may have come meanwhile.
    if (snapshot !== this.#snapshot) return reader
    if (isNew && this.#readers.size >= keptReaders) this.#readers.clear()
    this.#readers.set(key, reader)
    this.#latest = {selection: kept, reader}
    return reader
  }

  #document(): Promise<RegistryDocument> {
    const now = this.#clock()
    if (this.#snapshot !== undefined && this.#isFresh(now)) return this.#snapshot
    this.#readAt = now
    this.#latest = undefined
    const snapshot = this.#load().catch((error: unknown) => {
      this.#snapshot = undefined
      throw error
    })
    this.#snapshot = snapshot
    return snapshot
  }

  #isFresh(now: Instant): boolean {
    return now - this.#readAt < freshFor && now >= this.#readAt
  }

  async #load(): Promise<RegistryDocument> {
    const {document, revision} = await (await this.#openRegistry()).read()
    if (revision !== this.#revision) this.#readers = new Map()
    this.#revision = revision
    return document
  }
}
