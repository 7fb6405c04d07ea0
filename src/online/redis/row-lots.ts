/** Rows to read or to write together, in a call for all of them on one server, in a call for each slot of a cluster. */
import calculateSlot from 'cluster-key-slot'
import {ReadCall} from './read-call.js'
import {WriteCall} from './write-call.js'

/** What a batch of a run holds, so that a call for a slot has more than a few rows of it. */
const mostRows = 8192
/** Keeps the memory of wide rows in bounds. */
const mostBytes = 4 * 1024 * 1024

/** Calls by slot; a server without slots has the one call 0. */
class SlotCalls<Call> {
  readonly bySlot = new Map<number, Call>()
  readonly #isCluster: boolean
  readonly #newCall: () => Call

  constructor(isCluster: boolean, newCall: () => Call) {
    this.#isCluster = isCluster
    this.#newCall = newCall
  }

  callFor(key: Buffer): Call {
    const slot = this.#isCluster ? calculateSlot(key) : 0
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
  add(key: Buffer): void {
    this.#calls.callFor(key).add(key, this.#size)
    this.#size += 1
  }
}

export class WriteLot {
  readonly #calls: SlotCalls<WriteCall>
  #rows = 0
  #bytes = 0

  constructor(isCluster: boolean) {
    this.#calls = new SlotCalls(isCluster, () => new WriteCall())
  }

  get calls(): ReadonlyMap<number, WriteCall> {
    return this.#calls.bySlot
  }

  /** Takes what may be lent. False, and nothing done, where the row belongs to the next lot; a new lot takes any row. */
  add(key: Buffer, row: Buffer, life: string | undefined): boolean {
    if (this.#rows >= mostRows || this.#bytes >= mostBytes) return false
    if (!this.#calls.callFor(key).add(key, row, life)) return false
    this.#rows += 1
    this.#bytes += key.length + row.length
    return true
  }
}
