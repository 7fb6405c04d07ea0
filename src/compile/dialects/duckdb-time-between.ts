import type {Instant} from '../../definitions/instant.js'
import type {TimeBounds} from '../dialect.js'
import type {SqlValues} from '../sql-values.js'

/** Parquet files tell of each row group the smallest and the largest of its times, as they are stored. */
export function duckDbTimeBetween(
  column: string,
  native: string,
  {first, last}: TimeBounds,
  values: SqlValues,
): string | undefined {
  const bounds = boundsFor(native, values)
  if (bounds === undefined) return undefined
  const lower = first === undefined ? undefined : bounds.lower(first)
  const upper = last === undefined ? undefined : bounds.upper(last)
  const conditions = [
    ...(lower === undefined ? [] : [`${column} >= ${lower}`]),
    ...(upper === undefined ? [] : [`${column} <= ${upper}`]),
  ]
  return conditions.length === 0 ? undefined : conditions.join(' AND ')
}

interface Bounds {
  /** No larger than any value whose instant is that one or later; undefined where the type does not reach so far. */
  readonly lower: (instant: Instant) => string | undefined
  /** No smaller than any value whose instant is that one or earlier. */
  readonly upper: (instant: Instant) => string | undefined
}

function boundsFor(native: string, values: SqlValues): Bounds | undefined {
  switch (native) {
    case 'TIMESTAMP': {
      const bound = (instant: Instant): string => `make_timestamp(${values.integer(instant)})`
      return {lower: bound, upper: bound}
    }
    case 'TIMESTAMP WITH TIME ZONE': {
      const bound = (instant: Instant): string => `make_timestamptz(${values.integer(instant)})`
      return {lower: bound, upper: bound}
    }
    case 'TIMESTAMP_NS': {
      const bound = (nanos: bigint): string | undefined =>
        BigInt.asIntN(64, nanos) === nanos ? `make_timestamp_ns(${values.integer(nanos)})` : undefined
      return {
        lower: (instant) => bound(instant * 1000n),
        // What is cut to that microsecond, too.
        upper: (instant) => bound(instant * 1000n + 999n),
      }
    }
    case 'DATE': {
      const bound = (instant: Instant): string => `make_timestamp(${values.integer(instant)})::DATE`
      return {lower: bound, upper: bound}
    }
    default:
      return undefined
  }
}
