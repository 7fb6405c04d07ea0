import type {RepoConfig} from './config/repo-config.js'
import type {Instant} from './definitions/instant.js'
import {storeClosed} from './errors.js'
import {openOfflineStore} from './offline/drivers.js'
import type {OfflineStore} from './offline/offline-store.js'
import {openOnlineStore} from './online/drivers.js'
import type {OnlineStore} from './online/online-store.js'
import {openRegistry} from './registry/drivers.js'
import type {Registry} from './registry/registry.js'

/** The registry and the stores of one repo, each opened at its first use and closed together. */
export class OpenStores implements AsyncDisposable {
  readonly #config: RepoConfig
  readonly #clock: () => Instant
  #registry: Promise<Registry> | undefined
  #offline: Promise<OfflineStore> | undefined
  #isClosed = false
  #online: {readonly access: 'read' | 'write'; readonly store: Promise<OnlineStore>} | undefined

  constructor(config: RepoConfig, clock: () => Instant) {
    this.#config = config
    this.#clock = clock
  }

  /** Once it is closed, each of these is refused with FS_CLOSED. */
  registry(): Promise<Registry> {
    if (this.#isClosed) return refusal()
    const {registry: location, registrySettings: settings, project, directory: repoDirectory} = this.#config
    this.#registry ??= openRegistry({location, settings, project, repoDirectory}).catch((error: unknown) => {
      this.#registry = undefined
      throw error
    })
    return this.#registry
  }

  offline(): Promise<OfflineStore> {
    if (this.#isClosed) return refusal()
    const {offlineStore, directory: repoDirectory} = this.#config
    this.#offline ??= openOfflineStore(offlineStore, {repoDirectory}).catch((error: unknown) => {
      this.#offline = undefined
      throw error
    })
    return this.#offline
  }

  /**
   * A store that was opened to read is opened anew at the first write: an embedded store must not be open twice in one
   * process. Readers wait for that moment.
   */
  online(access: 'read' | 'write'): Promise<OnlineStore> {
    if (this.#isClosed) return refusal()
    const open = this.#online
    if (open !== undefined && (open.access === 'write' || access === 'read')) return open.store
    const store = this.#openOnline(access, open?.store).catch((error: unknown) => {
      this.#online = undefined
      throw error
    })
    this.#online = {access, store}
    return store
  }

  /** A reader of the online store that shares nothing with another one; not for an embedded store that is written to. */
  newReader(): Promise<OnlineStore> {
    if (this.#isClosed) return refusal()
    return this.#openOnline('read', undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const open = [this.#registry, this.#offline, this.#online?.store]
    this.#registry = undefined
    this.#offline = undefined
    this.#online = undefined
    for (const store of open) {
      // A store that failed to open has nothing to close, and its failure was told to who asked for it.
      const opened = await store?.catch(() => undefined)
      await opened?.[Symbol.asyncDispose]()
    }
  }

  async #openOnline(
    access: 'read' | 'write',
    earlier: Promise<OnlineStore> | undefined,
  ): Promise<OnlineStore> {
    const replaced = await earlier?.catch(() => undefined)
    await replaced?.[Symbol.asyncDispose]()
    const {onlineStore, project, directory: repoDirectory} = this.#config
    return openOnlineStore(onlineStore, {project, repoDirectory, access, clock: this.#clock})
  }
}

/** A promise, never a throw: who asks for two of them at once has not yet begun to wait for the first. */
function refusal(): Promise<never> {
  return Promise.reject(storeClosed())
}
