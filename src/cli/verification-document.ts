import {plainValue} from '../definitions/plain-value.js'
import type {Value} from '../definitions/value-type.js'
import type {Difference, Verification, ViewVerification} from '../feature-store.js'
import {optionalInstant} from './run-document.js'

/** A verification as `--json` shows it. */
export interface VerificationDocument {
  /** Missing, extra and different keys of all views. */
  readonly differences: number
  readonly views: readonly (Pick<
    ViewVerification,
    | 'name'
    | 'status'
    | 'checked'
    | 'equal'
    | 'missing'
    | 'extra'
    | 'different'
    | 'due'
    | 'rejected'
    | 'notes'
    | 'error'
  > & {
    /** The watermark; null for a view of which nothing is loaded. */
    readonly as_of: string | null
    readonly examples: readonly DifferenceDocument[]
  })[]
}

export interface DifferenceDocument {
  readonly kind: Difference['kind']
  readonly key: Readonly<Record<string, Value | null>>
  /** Null where there is no row. */
  readonly event_timestamp: {readonly expected: string | null; readonly found: string | null}
  /** By name: all features of a missing or extra row, those that differ of a different one. */
  readonly features: Readonly<Record<string, {readonly expected: Value | null; readonly found: Value | null}>>
}

export function verificationDocument({differences, views}: Verification): VerificationDocument {
  return {
    differences,
    views: views.map(({asOf, examples, error, ...view}) => ({
      ...view,
      as_of: optionalInstant(asOf),
      examples: examples.map(differenceDocument),
      ...(error === undefined ? {} : {error}),
    })),
  }
}

function differenceDocument({kind, key, eventTimestamp, features}: Difference): DifferenceDocument {
  return {
    kind,
    key: Object.fromEntries(key.map(({name, valueType, value}) => [name, plainValue(value, valueType)])),
    event_timestamp: {
      expected: optionalInstant(eventTimestamp.expected),
      found: optionalInstant(eventTimestamp.found),
    },
    features: Object.fromEntries(
      features.map(({name, valueType, expected, found}) => [
        name,
        {expected: plainValue(expected, valueType), found: plainValue(found, valueType)},
      ]),
    ),
  }
}
