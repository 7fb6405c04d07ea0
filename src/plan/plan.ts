/**
 * What `apply` would do, as plain data, and its file form: `plan --out` writes it, `apply --plan` applies exactly that.
 */
import {createHash} from 'node:crypto'
import {collectDefinitions, listDefinitions, type Definitions} from '../definitions/definition.js'
import {formatDefinition, parseDefinition, type PlainDefinition} from '../definitions/snake-case.js'
import {FeatureStoreError} from '../errors.js'

export type ChangeOp = 'create' | 'update' | 'delete' | 'replace'

/**
 * `safe`: nothing that was loaded is touched. `backfill`: the next incremental run has to load again what was loaded.
 * `destroys_data`: rows in the online store are removed.
 */
export type ChangeImpact = 'safe' | 'backfill' | 'destroys_data'

/** One changed value, in the form people write it in YAML. `undefined` stands for a key that is absent. */
export interface FieldChange {
  /** `ttl`, `schema.conv_rate.dtype`, `features.driver_stats.join_key_map.driver_id`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

export interface Change {
  readonly op: ChangeOp
  /** `feature_view/driver_hourly_stats` */
  readonly address: string
  readonly impact: ChangeImpact
  readonly fields: readonly FieldChange[]
  /** Why the impact is what it is: for people. */
  readonly notes: readonly string[]
}

export interface Plan {
  /** Hash of the definitions that were registered when the plan was made; loading rows does not change it. */
  readonly baseRevision: string
  /** In the order in which they are carried out. */
  readonly changes: readonly Change[]
  /** What will be registered: the whole repo, so that a saved plan needs nothing else. */
  readonly desired: Definitions
  /** Where a catalog and the definitions have drifted apart: for people, and no part of the file. */
  readonly warnings?: readonly string[]
}

const formatName = 'feature-repo plan'
const formatVersion = 1

/** The text of a plan file: readable JSON, closed by a checksum, since an edited plan is no reviewed plan. */
export function formatPlan(plan: Plan): string {
  const content: PlanContent = {
    base_revision: plan.baseRevision,
    changes: plan.changes,
    definitions: listDefinitions(plan.desired).map(formatDefinition),
  }
  const file = {format: formatName, version: formatVersion, ...content, checksum: checksumOf(content)}
  return `${JSON.stringify(file, undefined, 2)}\n`
}

/** Reads a plan file back. Anything but the untouched output of `formatPlan` is FS_PLAN_INVALID, naming `file`. */
export function parsePlan(text: string, file: string): Plan {
  const content = parseContent(text, file)
  return {
    baseRevision: content.base_revision,
    changes: content.changes.map(({op, address, impact, fields, notes}) => ({
      op,
      address,
      impact,
      fields: fields.map((field) => ({path: field.path, before: field.before, after: field.after})),
      notes,
    })),
    desired: collectDefinitions(content.definitions.map(parseDefinition)),
  }
}

interface PlanContent {
  readonly base_revision: string
  readonly changes: readonly Change[]
  readonly definitions: readonly PlainDefinition[]
}

function parseContent(text: string, file: string): PlanContent {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw invalid(file, 'it is not JSON', cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid(file, 'it holds no object')
  const {format, version, checksum, base_revision, changes, definitions} = parsed as Readonly<
    Record<string, unknown>
  >
  if (format !== formatName) throw invalid(file, `its \`format\` is not \`${formatName}\``)
  if (version !== formatVersion) {
    const found = JSON.stringify(version) ?? 'missing'
    throw invalid(file, `its format version is ${found}, and this release reads version ${formatVersion}`)
  }
  // The checksum covers every value, so what matches it has the shape that `formatPlan` gave it.
  const content = {base_revision, changes, definitions} as PlanContent
  if (checksum !== checksumOf(content)) {
    throw invalid(file, 'it was changed after it was written: its checksum does not match')
  }
  return content
}

function checksumOf(content: PlanContent): string {
  const {base_revision, changes, definitions} = content
  return createHash('sha256').update(JSON.stringify({base_revision, changes, definitions})).digest('hex')
}

function invalid(file: string, reason: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_PLAN_INVALID', `${file} is no plan that can be applied: ${reason}.`, {
    hint: 'Write a new one with `fs plan --out plan.json`.',
    position: {file},
    cause,
  })
}
