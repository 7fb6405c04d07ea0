/**
 * What a verification asks and finds. Its promise is that of materialize: the online store holds the historical answer
 * as of each view's watermark, which is where its covered intervals end.
 *
 * - *Expected* of a key is its newest row in the source, as the source is now, with an event time in what is covered. A
 *   row older than the ttl is not served, so whether it is online makes no difference.
 * - *missing*: it is expected, and the store has no row of the key.
 * - *different*: the store has an older row, or one of the same event time with other values; or its row is newer, and
 *   the source has other values at that very time. Values are equal when their bytes would be: NaN equals NaN, and 0 is
 *   not -0.
 * - *extra*: the store's row is newer than what is expected, and the source has no row of the key at its event time.
 * - *due*: it would be missing or different, but the source's row was created after the last incremental run looked, so
 *   the next one reads it. That is no difference. It can't be told without a created timestamp.
 * - *equal*: everything else. A row newer than the watermark, of a run that went on meanwhile or that failed half-way, is
 *   what the source says when the source has it.
 *
 * Online stores are asked by key and can't list their keys, so `extra` finds a key only where the source still has it
 * (a sample: with a row that is expected). Of other keys there is a number alone, and only when every key is checked, the
 * store counts its rows and the view has no ttl (its rows could be expired ones).
 */
import type {Instant} from '../definitions/instant.js'
import type {KeyType, Value, ValueType} from '../definitions/value-type.js'

/** What to compare, and how gently. */
export interface VerifyOptions {
  /** Names of feature views; all that are online by default. */
  readonly views?: readonly string[]
  /** How many keys of each view to check, or all of them; 1000 by default. */
  readonly sample?: number | 'all'
  /** An integer: another one picks other keys. 0 by default. */
  readonly seed?: number
  /** Keys read from the online store in a second, at most; 5000 by default. */
  readonly maxReadsPerSecond?: number
  /** How many differences of each kind to show of a view; 5 by default. */
  readonly examples?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (event: VerifyProgress) => void
}

export type DifferenceKind = 'missing' | 'extra' | 'different'

/** One key whose row online is not what the source says. */
export interface Difference {
  readonly kind: DifferenceKind
  /** In the order of the view's join keys. */
  readonly key: readonly {readonly name: string; readonly valueType: KeyType; readonly value: Value}[]
  /** Null where there is no row. */
  readonly eventTimestamp: {readonly expected: Instant | null; readonly found: Instant | null}
  /** All features of a row that is missing or extra; of rows that are different those that differ, which may be none. */
  readonly features: readonly FeatureDifference[]
}

export interface FeatureDifference {
  readonly name: string
  readonly valueType: ValueType
  readonly expected: Value | null
  readonly found: Value | null
}

export interface ViewVerification {
  readonly name: string
  /** `not_loaded`: nothing of it is online yet, so there is nothing to compare. `failed`: see `error`. */
  readonly status: 'checked' | 'not_loaded' | 'failed'
  /** The watermark: what is online is compared with the historical answer as of then. */
  readonly asOf?: Instant | undefined
  /** Keys that were compared: `equal`, `due` and the three kinds of difference together. */
  readonly checked: number
  readonly equal: number
  readonly due: number
  readonly missing: number
  readonly extra: number
  readonly different: number
  /** Keys that were not compared: their newest row holds a value that its type can't, so no load writes it. */
  readonly rejected: number
  /** The first of each kind. */
  readonly examples: readonly Difference[]
  /** What else is worth knowing: for people. */
  readonly notes: readonly string[]
  readonly error?: {readonly code: string; readonly message: string; readonly hint?: string} | undefined
}

export interface Verification {
  readonly views: readonly ViewVerification[]
  /** Keys of all views that are missing, extra or different. */
  readonly differences: number
}

/** How far the verification of one view has come. */
export interface VerifyProgress {
  readonly view: string
  readonly phase: 'reading' | 'checking' | 'done' | 'failed'
  /** Keys checked so far. */
  readonly rows: number
  /** About how many there will be, where that is known. */
  readonly approximateTotal?: number
}
