/** What `fs doctor` looks at: each store and the registry tell by harmless calls what could go wrong with them. */

import type {Instant} from './definitions/instant.js'

/** One thing that was looked at. */
export interface Finding {
  /** Two words at most, as `version`. */
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed'
  /** What was found. */
  readonly detail: string
  /** What to do about it; nothing where all is well. */
  readonly remedy?: string
}

/** Yields what it finds as it looks, and leaves all as it was. Throws FeatureStoreError for what is out of reach. */
export type Examination = AsyncGenerator<Finding, void, undefined>

/** Milliseconds since 1970. */
export function millisOf(instant: Instant): number {
  return Number(instant / 1000n)
}

const noticedSkewMillis = 1000
const harmfulSkewMillis = 60_000

/**
 * Whether the store's clock and this machine's agree: rows expire by the one, and loads end at the other. `readAt` is when
 * this machine asked and when it had the answer, milliseconds since 1970.
 */
export function clockFinding(
  storeMillis: number,
  readAt: readonly [asked: number, answered: number],
): Finding {
  const [asked, answered] = readAt
  // The store read its clock at some moment between the two.
  const skew = storeMillis < asked ? storeMillis - asked : storeMillis > answered ? storeMillis - answered : 0
  const size = Math.abs(skew)
  const detail =
    size < noticedSkewMillis
      ? "as this machine's"
      : `${(size / 1000).toFixed(1)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine's`
  if (size < noticedSkewMillis) return {name: 'clock', status: 'ok', detail}
  const remedy = 'Let both follow a time server (NTP).'
  return {name: 'clock', status: size < harmfulSkewMillis ? 'warning' : 'failed', detail, remedy}
}
