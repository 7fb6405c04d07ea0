import {FeatureStoreError} from '../errors.js'

export interface FeatureReference {
  readonly view: string
  /** Absent: all features of the view. */
  readonly feature?: string
  /** As it was written. */
  readonly text: string
}

/** Takes `view:feature` and `view` apart. Throws FS_ARGUMENT_INVALID for an empty list and for any other form. */
export function parseReferences(references: readonly string[]): readonly FeatureReference[] {
  // What JavaScript callers pass was checked by no compiler.
  const given: unknown = references
  if (!Array.isArray(given)) throw wrongList(`got ${typeof given}`)
  if (given.length === 0) throw wrongList('the list is empty')
  return given.map(parseReference)
}

function parseReference(text: unknown): FeatureReference {
  if (typeof text !== 'string')
    throw wrongList(`one of them is ${text === null ? 'null' : `a ${typeof text}`}`)
  const [view = '', feature, ...rest] = text.split(':')
  if (view === '' || feature === '' || rest.length > 0 || text !== text.trim()) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `\`${text}\` names no feature. Expected view:feature, or view for all of its features.`,
      {hint: 'Write, for example, driver_hourly_stats:conv_rate.'},
    )
  }
  return feature === undefined ? {view, text} : {view, feature, text}
}

function wrongList(reason: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    `Features are asked for as a list of names, and ${reason}. Expected view:feature, or view for all of its features.`,
    {hint: 'Write, for example, features: ["driver_hourly_stats:conv_rate"].'},
  )
}
