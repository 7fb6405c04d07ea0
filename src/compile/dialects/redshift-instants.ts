import {formatInstant, type Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import type {ExactCast} from '../dialect.js'
import {inUtc} from './redshift-types.js'

/** An instant as a TIMESTAMP. It is written out: a comparison with a column then skips blocks that hold no such times. */
export function timestampLiteral(instant: Instant): string {
  return `timestamp '${formatInstant(instant).replace('T', ' ').replace('Z', '')}'`
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
