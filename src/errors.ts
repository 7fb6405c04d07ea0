/**
 * What a user can mend is a `FeatureStoreError`: a stable code, a message with the user's own names, a hint in the
 * imperative. Anything else that is thrown is a bug and keeps its stack.
 */

/** The closed set of codes; scripts may match on them, so a code is never renamed or reused. */
export type ErrorCode =
  | 'FS_CONFIG_INVALID'
  | 'FS_REPO_NOT_FOUND'
  | 'FS_DEFINITION_INVALID'
  | 'FS_DEFINITION_DUPLICATE'
  | 'FS_DEFINITION_UNKNOWN'
  | 'FS_TYPESCRIPT_INVALID'
  | 'FS_SOURCE_UNREADABLE'
  | 'FS_SOURCE_MISMATCH'
  | 'FS_SOURCE_NOT_REPRODUCIBLE'
  | 'FS_VALIDATION_FAILED'
  | 'FS_REGISTRY_CONFLICT'
  | 'FS_REGISTRY_LOCKED'
  | 'FS_REGISTRY_UNREADABLE'
  | 'FS_REGISTRY_UNWRITABLE'
  | 'FS_REGISTRY_PROJECT_MISMATCH'
  | 'FS_PLAN_STALE'
  | 'FS_PLAN_INVALID'
  | 'FS_APPLY_NOT_CONFIRMED'
  | 'FS_NOT_APPLIED'
  | 'FS_REFERENCE_UNKNOWN'
  | 'FS_REFERENCE_AMBIGUOUS'
  | 'FS_ARGUMENT_INVALID'
  | 'FS_ENTITY_ROWS_INVALID'
  | 'FS_ENTITY_KEY_INVALID'
  | 'FS_QUERY_FAILED'
  | 'FS_VALUE_OUT_OF_RANGE'
  | 'FS_OUTPUT_FAILED'
  | 'FS_STORE_UNAVAILABLE'
  | 'FS_STORE_UNKNOWN'
  | 'FS_STORE_BUSY'
  | 'FS_NOT_SUPPORTED'
  | 'FS_VIEW_BUSY'
  | 'FS_VIEW_CHANGED'
  | 'FS_LEASE_LOST'
  | 'FS_REJECTS_EXCEEDED'
  | 'FS_MATERIALIZE_FAILED'
  | 'FS_LOAD_NOT_VERIFIED'
  | 'FS_SNAPSHOT_MISSING'
  | 'FS_RUN_UNKNOWN'
  | 'FS_TEMPLATE_UNKNOWN'
  | 'FS_DIRECTORY_NOT_EMPTY'
  | 'FS_INTERRUPTED'
  | 'FS_CLOSED'

/** A place in a file of the user; lines and columns count from 1. */
export interface SourcePosition {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** One thing that is wrong with what the user wrote. Problems are collected, so that all are shown at once. */
export interface Problem extends Partial<SourcePosition> {
  readonly code: ErrorCode
  /** What is wrong and what was expected, with the user's names. */
  readonly message: string
  /** What to do, in the imperative. */
  readonly hint?: string
  /** `kind/name[/path]` of the definition, e.g. `feature_view/driver_stats/schema/0/dtype`. */
  readonly address?: string
}

export interface FeatureStoreErrorOptions {
  readonly hint?: string | undefined
  readonly position?: SourcePosition | undefined
  readonly problems?: readonly Problem[]
  readonly cause?: unknown
}

/** A failure that the user can mend. Rendered once, at the edge (command line or HTTP). */
export class FeatureStoreError extends Error {
  override readonly name = 'FeatureStoreError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly position: SourcePosition | undefined
  /** All problems found, when there may be several (validation). */
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, message: string, options: FeatureStoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause})
    this.code = code
    this.hint = options.hint
    this.position = options.position
    this.problems = options.problems ?? []
  }
}

/** FS_CLOSED: something is asked of a feature store, or of what it gave, after it was closed. */
export function storeClosed(cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_CLOSED', 'The feature store is closed.', {
    hint: 'Close it when the last answer is there, or open another one with FeatureStore.open().',
    cause,
  })
}
