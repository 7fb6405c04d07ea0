/** Rows to read or to write together: in one call on a single server, in a call for each slot of a cluster. */
import type {BytesSource} from './bulk-strings.js'
import {ExpiringFirstWriteCall} from './expiring-first-write-call.js'
import {FirstWriteCall} from './first-write-call.js'
import {GuardedWriteCall, type WriteCall, type WriteReply} from './guarded-write-call.js'
import {ReadCall} from './read-call.js'
import type {RowKey} from './redis-keys.js'

/** What a batch of a run holds, so that a slot of a cluster has more than a few rows of it. */
const mostRows = 8192
/** Enough to be fast, few enough not to keep others waiting, nor to overflow the stack of Lua, which takes 8,000 values. */
const mostRowsOfCall = 500
/** Keeps the memory of wide rows in bounds. */
const mostBytes = 4 * 1024 * 1024

/** Bounds the memory of a write of very many rows. */
const mostKeysUnderWay = 100_000

/** Calls by slot; a server without slots has the one call 0. */
class SlotCalls<Call> {
  readonly bySlot = new Map<number, Call>()
  readonly #isCluster: boolean
  readonly #newCall: () => Call

  constructor(isCluster: boolean, newCall: () => Call) {
    this.#isCluster = isCluster
    this.#newCall = newCall
  }

  callFor(key: RowKey): Call {
    const slot = this.#isCluster ? key.slot : 0
    let call = this.bySlot.get(slot)
    if (call === undefined) this.bySlot.set(slot, (call = this.#newCall()))
    return call
  }
}

export class ReadLot {
  readonly #calls: SlotCalls<ReadCall>
  #size = 0

  constructor(isCluster: boolean) {
    this.#calls = new SlotCalls(isCluster, () => new ReadCall())
  }

  get size(): number {
    return this.#size
  }

  get calls(): ReadonlyMap<number, ReadCall> {
    return this.#calls.bySlot
  }

  /** The key may be lent. */
  add(key: RowKey): void {
    this.#calls.callFor(key).add(key, this.#size)
    this.#size += 1
  }
}

/**
 * Keys of rows that are on their way, so that no two of them are: of two rows of a key the later one must arrive last,
 * also where the other had to be sent again. The same key has the same hash; two keys that share one do no harm.
 */
export class KeysUnderWay {
  readonly #hashes = new Set<number>()

  /** False where the key must wait until all others have arrived; then `clear`. */
  add({hash}: RowKey): boolean {
    if (this.#hashes.size >= mostKeysUnderWay || this.#hashes.has(hash)) return false
    this.#hashes.add(hash)
    return true
  }

  clear(): void {
    this.#hashes.clear()
  }
}

export interface WriteKind {
  /** Most likely none of the rows is there. */
  readonly isFirst: boolean
  /** All rows have a life; else none has. */
  readonly expires: boolean
  /** What a call is expected to hold. */
  readonly bytesOfCall: number
}

/** Rows to write unless newer ones are there; no key may stand twice. It knows what has become of them. */
export class WriteLot {
  readonly #calls: SlotCalls<WriteCall>
  #rows = 0
  #bytes = 0
  #callCount = 0
  #isFull = false
  #unchanged = 0
  #hasMet = false

  constructor(isCluster: boolean, {isFirst, expires, bytesOfCall}: WriteKind) {
    const newCall = (): WriteCall => {
      if (!isFirst) return new GuardedWriteCall(bytesOfCall)
      return expires ? new ExpiringFirstWriteCall(bytesOfCall) : new FirstWriteCall(bytesOfCall)
    }
    this.#calls = new SlotCalls(isCluster, () => {
      this.#callCount += 1
      return newCall()
    })
  }

  get size(): number {
    return this.#rows
  }

  /** What is still to be sent, by slot. */
  get open(): Map<number, WriteCall> {
    return this.#calls.bySlot
  }

  /** Of the rows that were sent: how many left the store as it was. */
  get unchanged(): number {
    return this.#unchanged
  }

  /** Whether some of the rows that were sent met others. */
  get hasMet(): boolean {
    return this.#hasMet
  }

  get isEmpty(): boolean {
    return this.#rows === 0
  }

  /** Bytes of a call as it was made, taken one with another. */
  get bytesOfCall(): number {
    return this.#bytes / Math.max(1, this.#callCount)
  }

  /** Whether the next row belongs to another lot. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Takes a row of the source under a key that may be lent. `life`: milliseconds until the row expires. */
  add(key: RowKey, source: BytesSource, row: number, life?: number): void {
    const call = this.#calls.callFor(key)
    const before = call.size
    call.add(key, source, row, life)
    this.#rows += 1
    this.#bytes += call.size - before
    this.#isFull = call.rowCount === mostRowsOfCall || this.#rows === mostRows || this.#bytes >= mostBytes
  }

  /** Takes note of a reply. */
  settle({unchanged, met}: WriteReply): void {
    this.#unchanged += unchanged
    this.#hasMet ||= met > 0
  }
}
