import {setTimeout as sleep} from 'node:timers/promises'
import type {Instant} from '../definitions/instant.js'
import type {EntityKey, OnlineRow, OnlineStore, OnlineTable} from '../online/online-store.js'
import {ReadPace} from './read-pace.js'

/** Reads rows from an online store without getting in the way of those who are served by it. */
export class PacedReader {
  readonly #online: Pick<OnlineStore, 'read'>
  readonly #pace: ReadPace
  readonly #clock: () => Instant
  readonly #signal: AbortSignal | undefined

  constructor(options: {
    readonly online: Pick<OnlineStore, 'read'>
    readonly maxReadsPerSecond: number
    readonly clock: () => Instant
    readonly signal?: AbortSignal | undefined
  }) {
    this.#online = options.online
    this.#pace = new ReadPace(options.maxReadsPerSecond)
    this.#clock = options.clock
    this.#signal = options.signal
  }

  /** All features of each key, in the order of the keys; undefined where there is no row. Throws the signal's reason. */
  async read(table: OnlineTable, keys: readonly EntityKey[]): Promise<readonly (OnlineRow | undefined)[]> {
    const features = table.features.map(({name}) => name)
    const rows: (OnlineRow | undefined)[] = []
    for (let start = 0; start < keys.length; start += this.#pace.batchSize) {
      const batch = keys.slice(start, start + this.#pace.batchSize)
      await this.#wait(batch.length)
      const [found = []] = await this.#online.read([{table, keys: batch, features}])
      rows.push(...found)
    }
    return rows
  }

  async #wait(keys: number): Promise<void> {
    const micros = this.#pace.delayBefore(keys, this.#clock())
    const options = this.#signal === undefined ? {} : {signal: this.#signal}
    // A timer of less than a millisecond waits a whole one; what is not waited for now is waited for later.
    if (micros >= 1000n) await sleep(Number(micros) / 1000, undefined, options).catch(() => undefined)
    this.#signal?.throwIfAborted()
  }
}
