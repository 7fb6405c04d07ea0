/** A tenth of a second's rows may be sent at once. */
const burstMillis = 100

/** Rows that may be sent now, by a rate that may change at any time. A large request may run into debt, which is waited for. */
export class TokenBucket {
  #tokens = 0
  #filledAt: number

  constructor(nowMillis: number) {
    this.#filledAt = nowMillis
  }

  /** 0 where a request may be sent at once. */
  millisUntilFree(rowsPerSecond: number, nowMillis: number): number {
    if (rowsPerSecond === Infinity) {
      this.#tokens = 1
      this.#filledAt = nowMillis
      return 0
    }
    const rowsPerMilli = rowsPerSecond / 1000
    const full = Math.max(1, rowsPerMilli * burstMillis)
    this.#tokens = Math.min(full, this.#tokens + (nowMillis - this.#filledAt) * rowsPerMilli)
    this.#filledAt = nowMillis
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / rowsPerMilli
  }

  take(rows: number): void {
    this.#tokens -= rows
  }
}
