/** What one run writes to the online store: in its turn, at the pace that the store bears. */
import type {Duration} from '../definitions/duration.js'
import type {
  OnlineRows,
  OnlineStore,
  OnlineTable,
  ReadRequest,
  RemovedRows,
  RowLife,
  WriteResult,
} from '../online/online-store.js'
import {AdaptivePacing} from '../online/pacing/adaptive-pacing.js'
import {LoadPacer, machineClock, stallMillis} from '../online/pacing/load-pacer.js'
import {ReadProbe} from '../online/pacing/read-probe.js'
import {staticPacing} from '../online/pacing/static-pacing.js'
import type {WriteLimits} from '../online/pacing/write-limits.js'
import {StoreRefusal, type WritePacer} from '../online/pacing/write-pacer.js'
import type {ProcessIdentity, RunWriting} from '../registry/registry.js'
import {keyAt} from './key-at.js'
import {WritePlace} from './write-places.js'

/** How long one request is sent again and again before the load fails: a node that restarts takes less. */
const patienceMillis = 30_000
/** Before the load: what reads take when it does not disturb them. */
const readsBefore = 12

export interface WriteSettings extends WriteLimits {
  /** Runs that write to the store at once, from any machine. */
  readonly maxConcurrentRuns: number
  /** How long a run waits for its turn to write. */
  readonly lockTimeout: Duration
}

export interface StoreWriterOptions {
  readonly write: WriteSettings
  readonly runId: string
  readonly process: ProcessIdentity
  readonly isAlive: (holder: ProcessIdentity) => boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** A reader of the same store with a connection of its own, on which reads do not wait behind what is written. */
  readonly openReader: () => Promise<OnlineStore>
  /** Called when the run has to wait for its turn, with the runs that it waits for. */
  readonly onWait: (holders: readonly string[]) => void
  /** Called when the store takes nothing for some seconds, and is tried further, with what it says and who waits. */
  readonly onStall?: (reason: string, views: ReadonlySet<string>) => void
}

export class StoreWriter implements AsyncDisposable {
  readonly #options: StoreWriterOptions
  readonly #pacer: LoadPacer
  readonly #adaptive: AdaptivePacing | undefined
  #turn: Promise<WritePlace> | undefined
  #waitedMillis = 0
  #probe: Promise<AsyncDisposable> | undefined
  /** A row that was written, which the probe reads. */
  #sample: readonly ReadRequest[] = []
  #isPaced = false
  /** The view of each write and removal under way. */
  readonly #underWay = new Set<{readonly view: string}>()

  constructor(options: StoreWriterOptions) {
    const {write, signal} = options
    this.#options = options
    this.#adaptive =
      write.pacing === 'adaptive' ? new AdaptivePacing(write, () => machineClock.now()) : undefined
    this.#pacer = new LoadPacer({
      policy: this.#adaptive ?? staticPacing(write),
      patienceMillis,
      signal,
      onStall: ({message}) => this.#tellStall(message),
    })
  }

  /** As the store's own `write`, when it is the run's turn. Throws FS_STORE_BUSY, FS_LEASE_LOST. */
  async write(
    online: OnlineStore,
    table: OnlineTable,
    rows: OnlineRows,
    life: RowLife | undefined,
  ): Promise<WriteResult> {
    return this.#during(table.view, async () => {
      const place = await this.#haveTurn(online)
      this.#isPaced = online.isPaced
      if (online.isPaced) await this.#watchReads(table, rows)
      else place.check()
      return online.write(table, rows, life, {pacer: this.#pacerIn(place), counts: 'sent'})
    })
  }

  /** As the store's own `remove`, as `write`. */
  async remove(online: OnlineStore, table: OnlineTable, rows: RemovedRows): Promise<number> {
    return this.#during(table.view, async () => {
      const place = await this.#haveTurn(online)
      this.#isPaced = online.isPaced
      if (!online.isPaced) place.check()
      return online.remove(table, rows, {pacer: this.#pacerIn(place)})
    })
  }

  /** What the writing was like; undefined where the run wrote nothing, or to a store that needs no pacing. */
  metrics(): RunWriting | undefined {
    const {requests, ...metrics} = this.#pacer.metrics()
    return this.#isPaced && requests > 0
      ? {requests, ...metrics, waitedForTurnMillis: Math.round(this.#waitedMillis)}
      : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const probe = await this.#probe?.catch(() => undefined)
    await probe?.[Symbol.asyncDispose]()
    const place = await this.#turn?.catch(() => undefined)
    await place?.[Symbol.asyncDispose]()
  }

  async #during<T>(view: string, work: () => Promise<T>): Promise<T> {
    const own = {view}
    this.#underWay.add(own)
    try {
      return await work()
    } finally {
      this.#underWay.delete(own)
    }
  }

  #tellStall(reason: string): void {
    this.#options.onStall?.(reason, new Set(Array.from(this.#underWay, ({view}) => view)))
  }

  async #haveTurn(online: OnlineStore): Promise<WritePlace> {
    this.#turn ??= this.#takePlace(online).catch((error: unknown) => {
      // The next view may have more luck.
      this.#turn = undefined
      throw error
    })
    return this.#turn
  }

  /**
   * Each request asks whether the run still has its place: at a slow pace, a batch takes longer than a lease. A place that
   * nobody got meanwhile may come back with the store.
   */
  #pacerIn(place: WritePlace): WritePacer {
    const pacer = this.#pacer
    const check = (): void => {
      try {
        place.check()
      } catch (error) {
        throw place.isLost ? error : new StoreRefusal('unavailable', error as Error)
      }
    }
    return {
      admit: (rows) => pacer.admit(rows),
      send: (rows, request) =>
        pacer.send(rows, () => {
          check()
          return request()
        }),
      ask: (question) => pacer.ask(question),
    }
  }

  async #takePlace(online: OnlineStore): Promise<WritePlace> {
    const {write, runId, process, isAlive, signal, onWait} = this.#options
    const askedAt = performance.now()
    const stall = setTimeout(() => this.#tellStall('it has not taken note of this run yet'), stallMillis)
    try {
      return await WritePlace.take(online.notes.runs, {
        runId,
        process,
        isAlive,
        places: write.maxConcurrentRuns,
        timeout: write.lockTimeout,
        signal,
        onWait: (holders) => {
          clearTimeout(stall)
          onWait(holders)
        },
      })
    } finally {
      clearTimeout(stall)
      this.#waitedMillis += performance.now() - askedAt
    }
  }

  /** Reads one of the rows that were written last, all the time while the load goes on. */
  async #watchReads(table: OnlineTable, rows: OnlineRows): Promise<void> {
    const {latencyTargetMillis} = this.#options.write
    const adaptive = this.#adaptive
    if (adaptive === undefined || latencyTargetMillis === undefined || rows.rowCount === 0) return
    const key = keyAt(rows, 0)
    this.#sample = [{table, keys: [key], features: table.features.slice(0, 1).map(({name}) => name)}]
    this.#probe ??= this.#startProbe(adaptive, latencyTargetMillis).catch((error: unknown) => {
      // The next batch may have more luck.
      this.#probe = undefined
      throw error
    })
    await this.#probe
  }

  async #startProbe(adaptive: AdaptivePacing, targetMillis: number): Promise<AsyncDisposable> {
    const reader = await this.#options.openReader()
    const read = (): Promise<unknown> => reader.read(this.#sample)
    const {signal} = this.#options
    const before = await ReadProbe.measure(readsBefore, {read, signal}).catch(async (error: unknown) => {
      await reader[Symbol.asyncDispose]()
      throw error
    })
    adaptive.yieldToReads(targetMillis, before)
    const probe = new ReadProbe({read, onRead: (millis) => adaptive.onRead(millis)})
    return {
      async [Symbol.asyncDispose]() {
        await probe[Symbol.asyncDispose]()
        await reader[Symbol.asyncDispose]()
      },
    }
  }
}
