/** Batches that are written at once settle in any order: up to which of them all are acknowledged. */
export class AcknowledgedPosition {
  readonly #settled = new Map<number, readonly string[]>()
  #next = 0
  #last: readonly string[] | undefined

  /** Batches count from 0; `position` is where this one ends. */
  acknowledge(batch: number, position: readonly string[]): void {
    this.#settled.set(batch, position)
    for (let at = this.#settled.get(this.#next); at !== undefined; at = this.#settled.get(this.#next)) {
      this.#settled.delete(this.#next)
      this.#last = at
      this.#next += 1
    }
  }

  /** Where the last batch ends before which all are acknowledged; undefined before the first. */
  get last(): readonly string[] | undefined {
    return this.#last
  }
}
