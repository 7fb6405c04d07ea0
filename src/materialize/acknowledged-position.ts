/** A batch whose rows are all durable, or kept as rejects. */
export interface AcknowledgedBatch {
  /** The last key of it. */
  readonly after: readonly string[]
  /** Numbers of rows. */
  readonly settled: number
  readonly rejected: number
}

/** Batches that are written at once settle in any order: up to which of them all are acknowledged, and what they had. */
export class AcknowledgedPosition {
  readonly #settled = new Map<number, AcknowledgedBatch>()
  #next = 0
  #last: AcknowledgedBatch | undefined

  /** Batches count from 0. */
  acknowledge(number: number, batch: AcknowledgedBatch): void {
    this.#settled.set(number, batch)
    for (let next = this.#settled.get(this.#next); next !== undefined; next = this.#settled.get(this.#next)) {
      this.#settled.delete(this.#next)
      this.#next += 1
      this.#last = {
        after: next.after,
        settled: (this.#last?.settled ?? 0) + next.settled,
        rejected: (this.#last?.rejected ?? 0) + next.rejected,
      }
    }
  }

  /** The end of the last batch before which all are acknowledged, with their numbers of rows; undefined before the first. */
  get last(): AcknowledgedBatch | undefined {
    return this.#last
  }
}
