import {atItsSetting} from './config/place-setting.js'
import type {RepoConfig} from './config/repo-config.js'
import type {Instant} from './definitions/instant.js'
import {storeClosed} from './errors.js'
import {openOfflineStore} from './offline/drivers.js'
import type {OfflineStore} from './offline/offline-store.js'
import {openOnlineStore} from './online/drivers.js'
import type {OnlineStore} from './online/online-store.js'
import {openRegistry} from './registry/drivers.js'
import type {Registry} from './registry/registry.js'

type Access = 'read' | 'write'

/** The registry and the stores of one repo, each opened at its first use and closed together. */
export class OpenStores implements AsyncDisposable {
  readonly #config: RepoConfig
  readonly #clock: () => Instant
  #registry: Promise<Registry> | undefined
  #offline: Promise<OfflineStore> | undefined
  #isClosed = false
  readonly #online = new Map<Access, Promise<OnlineStore>>()

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
      throw atItsSetting(error, 'registry', this.#config.locate)
    })
    return this.#registry
  }

  offline(): Promise<OfflineStore> {
    if (this.#isClosed) return refusal()
    const {offlineStore, directory: repoDirectory} = this.#config
    this.#offline ??= openOfflineStore(offlineStore, {repoDirectory}).catch((error: unknown) => {
      this.#offline = undefined
      throw atItsSetting(error, 'offline_store', this.#config.locate)
    })
    return this.#offline
  }

  /**
   * Of a server, one to read and one to write, so that a load neither ends reads that are under way nor makes them wait as
   * long as it does itself. An embedded store must not be open twice in one process: who opened it to read has it opened anew
   * at the first write, and reads by that from then on.
   */
  online(access: Access): Promise<OnlineStore> {
    if (this.#isClosed) return refusal()
    const isEmbedded = this.#config.onlineStore.type === 'embedded'
    const open = this.#online.get(access) ?? (isEmbedded ? this.#online.get('write') : undefined)
    if (open !== undefined) return open
    const replaced = isEmbedded ? this.#online.get('read') : undefined
    if (isEmbedded) this.#online.delete('read')
    const store = this.#openOnline(access, replaced).catch((error: unknown) => {
      this.#online.delete(access)
      throw atItsSetting(error, 'online_store', this.#config.locate)
    })
    this.#online.set(access, store)
    return store
  }

  /** A reader of the online store that shares nothing with another one; not for an embedded store that is written to. */
  newReader(): Promise<OnlineStore> {
    if (this.#isClosed) return refusal()
    return this.#openOnline('read', undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const open = [this.#registry, this.#offline, ...this.#online.values()]
    this.#registry = undefined
    this.#offline = undefined
    this.#online.clear()
    for (const store of open) {
      // A store that failed to open has nothing to close, and its failure was told to who asked for it.
      const opened = await store?.catch(() => undefined)
      await opened?.[Symbol.asyncDispose]()
    }
  }

  async #openOnline(access: Access, earlier: Promise<OnlineStore> | undefined): Promise<OnlineStore> {
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
