const firstWidthMillis = 1000
const longest = 120

/** Rows a store acknowledged, by time. Intervals grow as the load goes on, so that the record stays short. */
export class RateRecord {
  #widthMillis = firstWidthMillis
  #rows: number[] = []

  /** `atMillis` counts from the beginning of the load. */
  add(rows: number, atMillis: number): void {
    while (atMillis >= this.#widthMillis * longest) this.#widen()
    const at = Math.floor(atMillis / this.#widthMillis)
    while (this.#rows.length <= at) this.#rows.push(0)
    this.#rows[at] = (this.#rows[at] as number) + rows
  }

  /** Rows of each interval, the first begins with the load; the last may not be over. */
  get(): {readonly everyMillis: number; readonly rows: readonly number[]} {
    return {everyMillis: this.#widthMillis, rows: [...this.#rows]}
  }

  #widen(): void {
    const halves = this.#rows
    this.#widthMillis *= 2
    this.#rows = Array.from(
      {length: Math.ceil(halves.length / 2)},
      (_, at) => (halves[at * 2] as number) + (halves[at * 2 + 1] ?? 0),
    )
  }
}
