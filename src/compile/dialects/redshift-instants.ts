import {formatInstant, type Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import type {ExactCast, TimeBounds} from '../dialect.js'
import {inUtc} from './redshift-types.js'

/** An instant as a TIMESTAMP. It is written out: a comparison with a column then skips blocks that hold no such times. */
export function timestampLiteral(instant: Instant): string {
  return `timestamp '${written(instant)}'`
}

/** Blocks tell the smallest and the largest of their values, as they are stored: https://docs.aws.amazon.com/redshift/latest/dg/t_Sorting_data.html */
export function redshiftTimeBetween(
  column: string,
  native: string,
  {first, last}: TimeBounds,
): string | undefined {
  const bound = boundFor(native.replace(/\(.*\)$/, ''))
  if (bound === undefined) return undefined
  const conditions = [
    ...(first === undefined ? [] : [`${column} >= ${bound(first)}`]),
    ...(last === undefined ? [] : [`${column} <= ${bound(last)}`]),
  ]
  return conditions.length === 0 ? undefined : conditions.join(' AND ')
}

function boundFor(native: string): ((instant: Instant) => string) | undefined {
  switch (native) {
    case 'timestamp':
      return timestampLiteral
    case 'timestamptz':
      return (instant) => `timestamptz '${written(instant)}+00'`
    case 'date':
      return (instant) => `date '${written(instant).split(' ')[0] ?? ''}'`
    default:
      return undefined
  }
}

function written(instant: Instant): string {
  return formatInstant(instant).replace('T', ' ').replace('Z', '')
}

/** A column as a TIMESTAMP in UTC. */
export function castToTimestamp(column: string, native: string): ExactCast {
  switch (native.replace(/\(.*\)$/, '')) {
    case 'timestamp':
      return {value: column}
    case 'timestamptz':
      return {value: inUtc(column)}
    case 'date':
      return {value: `${column}::timestamp`}
    default:
      throw new FeatureStoreError(
        'FS_NOT_SUPPORTED',
        `Column ${column} is ${native} in Redshift and is no time. Expected TIMESTAMP, TIMESTAMPTZ or DATE.`,
        {hint: 'Cast it in a source with `query`.'},
      )
  }
}
