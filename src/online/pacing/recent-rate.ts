const sliceMillis = 100
const slices = 10

/** Rows a second over the last second, or since the beginning where that is shorter. */
export class RecentRate {
  readonly #now: () => number
  readonly #rows = new Float64Array(slices)
  readonly #beganAt: number
  #slice: number

  constructor(now: () => number) {
    this.#now = now
    this.#beganAt = now()
    this.#slice = Math.floor(now() / sliceMillis)
  }

  add(rows: number): void {
    this.#move()
    const at = this.#slice % slices
    this.#rows[at] = (this.#rows[at] as number) + rows
  }

  rowsPerSecond(): number {
    this.#move()
    const now = this.#now()
    const from = Math.max(this.#beganAt, (this.#slice - slices + 1) * sliceMillis)
    let sum = 0
    for (const rows of this.#rows) sum += rows
    return (sum / Math.max(sliceMillis / 2, now - from)) * 1000
  }

  /** Forgets the slices that the time has passed. */
  #move(): void {
    const slice = Math.floor(this.#now() / sliceMillis)
    for (let next = Math.max(this.#slice + 1, slice - slices + 1); next <= slice; next += 1)
      this.#rows[next % slices] = 0
    this.#slice = slice
  }
}
