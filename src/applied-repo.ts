import type {Duration} from './definitions/duration.js'
import type {Instant} from './definitions/instant.js'
import type {Registry, RegistryDocument} from './registry/registry.js'
import type {OnlineReader} from './retrieval/online-reader.js'
import {selectionKey, type FeatureSelection} from './retrieval/resolve-features.js'

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
  #snapshot: Promise<RegistryDocument> | undefined
  #revision = ''
  #readAt: Instant = 0n

  constructor(openRegistry: () => Promise<Registry>, clock: () => Instant) {
    this.#openRegistry = openRegistry
    this.#clock = clock
  }

  /** Throws what `prepareOnlineFeatures` throws. */
  async onlineReader(selection: FeatureSelection, expireAfter: Duration): Promise<OnlineReader> {
    const document = await this.#document()
    const key = selectionKey(selection)
    const known = this.#readers.get(key)
    if (known !== undefined) return known
    const {prepareOnlineFeatures} = await import('./retrieval/online-reader.js')
    const {features, featureService, fullFeatureNames} = selection
    const reader = prepareOnlineFeatures({
      definitions: document.definitions,
      views: document.views,
      selection: {features, featureService, fullFeatureNames},
      expireAfter,
    })
    if (this.#readers.size >= keptReaders) this.#readers.clear()
    this.#readers.set(key, reader)
    return reader
  }

  /** Forgets what it knows: this very process changed it. */
  forget(): void {
    this.#snapshot = undefined
  }

  #document(): Promise<RegistryDocument> {
    const now = this.#clock()
    if (this.#snapshot !== undefined && now - this.#readAt < freshFor && now >= this.#readAt)
      return this.#snapshot
    this.#readAt = now
    const snapshot = this.#load().catch((error: unknown) => {
      this.#snapshot = undefined
      throw error
    })
    this.#snapshot = snapshot
    return snapshot
  }

  async #load(): Promise<RegistryDocument> {
    const {document, revision} = await (await this.#openRegistry()).read()
    if (revision !== this.#revision) this.#readers = new Map()
    this.#revision = revision
    return document
  }
}
