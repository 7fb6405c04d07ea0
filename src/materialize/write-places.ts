/**
 * The places of runs that may write to one store at once, from any machine, kept in the store itself: a semaphore of
 * leases. A run puts its lease off while it lives; one that was killed gives its place back when its lease ends.
 *
 * Each place that is taken has a number above all before it (a fencing token: Kleppmann, "How to do distributed locking",
 * 2016). A run that was cut off from the store stops writing when its lease ends. When it comes back and its number still
 * stands there, nobody took the place, and it goes on; else it writes no more. What it had sent before can't do harm:
 * writes are guarded one by one, and the places only bound how many runs load the store.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import {formatDuration, type Duration} from '../definitions/duration.js'
import {FeatureStoreError} from '../errors.js'
import type {SharedNote} from '../online/shared-note.js'
import type {ProcessIdentity} from '../registry/registry.js'

const defaultLeaseMillis = 60_000
const renewalShare = 1 / 4
/** What a request that is under way may still take when the lease ends. */
const marginShare = 1 / 6
const pollMillis = 1000
/** After so long no new attempt is made to give a place back: to a store that is gone there is no use in it. */
const givingBackMillis = 3000
const contentionMillis = 50

interface HeldPlace {
  readonly runId: string
  readonly process: ProcessIdentity
  readonly fence: number
  readonly expiresAt: number
}

interface Places {
  /** The last number that was given. */
  readonly fence: number
  readonly held: readonly HeldPlace[]
}

export interface PlaceRequest {
  readonly runId: string
  readonly process: ProcessIdentity
  /** False where a process is surely gone: its place is free at once. */
  readonly isAlive: (holder: ProcessIdentity) => boolean | undefined
  /** How many runs may write at once. */
  readonly places: number
  /** How long to wait for one. */
  readonly timeout: Duration
  /** How long the place outlives its holder where nobody can see that it is gone; a minute by default. */
  readonly leaseMillis?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called once, when all places are taken. */
  readonly onWait?: ((holders: readonly string[]) => void) | undefined
}

/** A place that a run holds until it gives it back. */
export class WritePlace implements AsyncDisposable {
  readonly #note: SharedNote
  readonly #runId: string
  readonly #fence: number
  readonly #leaseMillis: number
  readonly #timer: NodeJS.Timeout
  #validUntil: number
  #isLost = false
  #renewal: Promise<void> | undefined
  readonly #givenBack = new AbortController()

  private constructor(
    note: SharedNote,
    {runId, fence}: Pick<HeldPlace, 'runId' | 'fence'>,
    {leaseMillis, validUntil}: {readonly leaseMillis: number; readonly validUntil: number},
  ) {
    this.#note = note
    this.#runId = runId
    this.#fence = fence
    this.#leaseMillis = leaseMillis
    this.#validUntil = validUntil
    this.#timer = setInterval(() => this.#keepRenewed(), leaseMillis * renewalShare).unref()
  }

  /** Waits for a place. Throws FS_STORE_BUSY, with the names of those who hold them, when the time is over. */
  static async take(note: SharedNote, request: PlaceRequest): Promise<WritePlace> {
    const {runId, process, isAlive, places, timeout, signal, onWait} = request
    const {leaseMillis = defaultLeaseMillis} = request
    const deadline = performance.now() + Number(timeout / 1000n)
    for (let hasWaited = false; ;) {
      signal?.throwIfAborted()
      const askedAt = performance.now()
      const {text, nowMillis} = await note.read(signal)
      const current = livePlaces(text, nowMillis)
      const held = current.held.filter((place) => isAlive(place.process) !== false)
      // An answer to an earlier attempt that was lost on its way.
      const mine = held.find((place) => place.runId === runId)
      if (mine !== undefined) {
        const left = mine.expiresAt - nowMillis
        return new WritePlace(note, mine, {leaseMillis, validUntil: lastMoment(askedAt, left, leaseMillis)})
      }
      if (held.length < places) {
        const place = {runId, process, fence: current.fence + 1, expiresAt: nowMillis + leaseMillis}
        const next: Places = {fence: place.fence, held: [...held, place]}
        if (await note.replace(text, JSON.stringify(next), signal)) {
          const validUntil = lastMoment(askedAt, leaseMillis, leaseMillis)
          return new WritePlace(note, place, {leaseMillis, validUntil})
        }
        await sleep(Math.random() * contentionMillis)
        continue
      }
      const holders = held.map(showHolder)
      if (performance.now() >= deadline) throw storeBusy(holders, places, timeout)
      if (!hasWaited) onWait?.(holders)
      hasWaited = true
      await sleep(pollMillis * (0.5 + Math.random()), undefined, signal === undefined ? {} : {signal})
    }
  }

  /** Whether another run got the place: it does not come back. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Throws FS_LEASE_LOST when others have the place, or may have it by now. To be asked before each write. */
  check(): void {
    if (!this.#isLost && performance.now() < this.#validUntil) return
    throw new FeatureStoreError(
      'FS_LEASE_LOST',
      'This run could not tell the online store for too long that it is alive, and lost its place among those that write.',
      {hint: 'Run it again: what it wrote stays, and it loads what is missing.'},
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#givenBack.abort()
    // A place that is not given back is free when its lease ends.
    await this.#change(
      (held) => held.filter((place) => place.fence !== this.#fence),
      AbortSignal.timeout(givingBackMillis),
    ).catch(() => undefined)
  }

  #keepRenewed(): void {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined))
  }

  async #renew(): Promise<void> {
    const askedAt = performance.now()
    try {
      const isHeld = await this.#change(
        (held, nowMillis) =>
          held.map((place) =>
            place.fence === this.#fence ? {...place, expiresAt: nowMillis + this.#leaseMillis} : place,
          ),
        this.#givenBack.signal,
      )
      if (isHeld) this.#validUntil = lastMoment(askedAt, this.#leaseMillis, this.#leaseMillis)
      else this.#isLost = true
    } catch {
      // The next one may get through; until then the time that is left counts.
    }
  }

  /** False, and nothing is changed, where the place is not held any more. */
  async #change(
    change: (held: readonly HeldPlace[], nowMillis: number) => readonly HeldPlace[],
    signal?: AbortSignal,
  ): Promise<boolean> {
    for (;;) {
      const {text, nowMillis} = await this.#note.read(signal)
      // Where its own lease ended, too: who takes the place removes it.
      const isMine = (place: HeldPlace): boolean => place.fence === this.#fence && place.runId === this.#runId
      const {fence, held} = livePlaces(text, nowMillis, isMine)
      if (!held.some(isMine)) return false
      const next = JSON.stringify({fence, held: change(held, nowMillis)})
      if (await this.#note.replace(text, next, signal)) return true
      await sleep(Math.random() * contentionMillis)
    }
  }
}

/** Until when, by this process's clock, a lease may be used that had so much time left when the store was asked. */
function lastMoment(askedAt: number, leftMillis: number, leaseMillis: number): number {
  return askedAt + leftMillis - leaseMillis * marginShare
}

/** The places whose leases have not ended, and those that are kept all the same. */
function livePlaces(
  text: string | undefined,
  nowMillis: number,
  isKept: (place: HeldPlace) => boolean = () => false,
): Places {
  if (text === undefined) return {fence: 0, held: []}
  const {fence, held} = JSON.parse(text) as Places
  return {fence, held: held.filter((place) => place.expiresAt > nowMillis || isKept(place))}
}

function showHolder({runId, process}: HeldPlace): string {
  return `run ${runId}, process ${process.pid} on ${process.host}`
}

function storeBusy(holders: readonly string[], places: number, timeout: Duration): FeatureStoreError {
  const runs = places === 1 ? 'one run' : `${places} runs`
  return new FeatureStoreError(
    'FS_STORE_BUSY',
    `At most ${runs} may write to the online store at once, and after ${formatDuration(timeout)} it is still the turn of: ${holders.join('; ')}.`,
    {
      hint: 'Run it again later, or raise `online_store.write.max_concurrent_runs` or `lock_timeout`. The place of a run that was killed is free at once for runs of its machine, and for others a minute later.',
    },
  )
}
