import {setTimeout} from 'node:timers/promises'
import type {Duration} from './definitions/duration.js'
import type {Instant} from './definitions/instant.js'
import type {Registry, RegistryDocument} from './registry/registry.js'
import type {OnlineReader} from './retrieval/online-reader.js'
import {equalSelections, selectionKey, type FeatureSelection} from './retrieval/resolve-features.js'

/** How long a reader may go on with definitions that another process has replaced, in microseconds. */
const freshFor: Duration = 2_000_000n

/** So long a read waits to hear of newer definitions, where older ones are known, in milliseconds. */
const patienceMillis = 1000

/** Selections kept prepared; a program asks for a few, and who makes them up at run time must not fill the memory. */
const keptReaders = 100

/** One revision of what is registered, and the selections that were prepared by it. */
interface Registered {
  readonly revision: string
  readonly document: RegistryDocument
  readonly readers: Map<string, OnlineReader>
}

/**
 * What is registered, as online reads need it: looked at again every two seconds at most, with each selection prepared
 * once, so that a read costs a look-up and no parsing. While the registry is out of reach, or can't be read, what was
 * registered last holds: reads need the online store alone.
 */
export class AppliedRepo {
  readonly #openRegistry: () => Promise<Registry>
  readonly #clock: () => Instant
  /** The selection of the latest read, which most often is that of the next. */
  #latest: {readonly selection: FeatureSelection; readonly reader: OnlineReader} | undefined
  #snapshot: Promise<Registered> | undefined
  /** What was registered last, as far as is known. */
  #known: Registered | undefined
  /** The look at the registry that is under way. */
  #look: Promise<Registered> | undefined
  #readAt: Instant = 0n
  /** How often this process changed what is registered: what was read before says nothing any more. */
  #changes = 0

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
    this.#changes += 1
    this.#known = undefined
    this.#snapshot = undefined
    this.#latest = undefined
  }

  async #prepare(selection: FeatureSelection, expireAfter: Duration): Promise<OnlineReader> {
    const snapshot = this.#registered()
    const {document, readers} = await snapshot
    const {definitions, views} = document
    const {features, featureService, fullFeatureNames} = selection
    // A copy: the caller's list may change.
    const kept = {features: features && [...features], featureService, fullFeatureNames}
    const key = selectionKey(kept)
    let reader = readers.get(key)
    const isNew = reader === undefined
    if (reader === undefined) {
      const {prepareOnlineFeatures} = await import('./retrieval/online-reader.js')
      reader = prepareOnlineFeatures({definitions, views, selection: kept, expireAfter})
    }
    if (isNew && readers.size >= keptReaders) readers.clear()
    readers.set(key, reader)
    // Other definitions may have come meanwhile.
    if (snapshot === this.#snapshot) this.#latest = {selection: kept, reader}
    return reader
  }

  #registered(): Promise<Registered> {
    const now = this.#clock()
    if (this.#snapshot !== undefined && this.#isFresh(now)) return this.#snapshot
    this.#readAt = now
    this.#latest = undefined
    const snapshot = this.#newest().catch((error: unknown) => {
      this.#snapshot = undefined
      throw error
    })
    this.#snapshot = snapshot
    return snapshot
  }

  async #newest(): Promise<Registered> {
    const known = this.#known
    if (known === undefined) return this.#load()
    // One that took too long for earlier reads is not waited for again.
    if (this.#look !== undefined) return known
    const look = this.#load().catch(() => known)
    this.#look = look
    const ended = new AbortController()
    try {
      return await Promise.race([look, setTimeout(patienceMillis, known, {signal: ended.signal})])
    } finally {
      ended.abort()
      void look.finally(() => (this.#look = undefined))
    }
  }

  #isFresh(now: Instant): boolean {
    return now - this.#readAt < freshFor && now >= this.#readAt
  }

  async #load(): Promise<Registered> {
    const changes = this.#changes
    const {document, revision} = await (await this.#openRegistry()).read()
    const known = this.#known?.revision === revision ? this.#known : {revision, document, readers: new Map()}
    if (changes === this.#changes) this.#known = known
    return known
  }
}
