/** How a load may use a store, as the `write` block of an online store says. */
export interface WriteLimits {
  /** `adaptive` follows what the store bears, within the limits; `static` uses the limits as they are. */
  readonly pacing: 'adaptive' | 'static'
  /** Rows; absent: as many as the store takes. */
  readonly maxWritesPerSecond?: number | undefined
  /** Requests that wait for an answer at once. */
  readonly maxConcurrency: number
  /** `adaptive` yields while one in a hundred reads of the store takes longer; absent: it does not look. */
  readonly latencyTargetMillis?: number | undefined
}

export const defaultWriteLimits: WriteLimits = {
  pacing: 'adaptive',
  maxConcurrency: 256,
  latencyTargetMillis: 25,
}
