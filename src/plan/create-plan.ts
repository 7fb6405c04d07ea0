import {
  addressOf,
  definitionKinds,
  listDefinitions,
  type Definition,
  type Definitions,
} from '../definitions/definition.js'
import {formatDefinition} from '../definitions/snake-case.js'
import type {RegistryDocument} from '../registry/registry.js'
import {baseRevisionOf} from './base-revision.js'
import {diffDefinition} from './diff-definition.js'
import type {Change, ChangeOp, Plan} from './plan.js'
import {viewEffect} from './view-effect.js'

/**
 * What it takes to get from what is registered to `desired`, which was validated. Pure. First what is created or
 * changed, each after what it refers to; then what is deleted, each before what it refers to.
 */
export function createPlan(desired: Definitions, document: RegistryDocument): Plan {
  const registered = document.definitions
  const before = new Map(listDefinitions(registered).map((one) => [addressOf(one), one]))
  const after = new Map(listDefinitions(desired).map((one) => [addressOf(one), one]))
  const kept = [...after.values()].flatMap((one) =>
    changesOf(before.get(addressOf(one)), one, desired, document),
  )
  const deleted = [...before.values()]
    .filter((one) => !after.has(addressOf(one)))
    .sort((a, b) => definitionKinds.indexOf(b.kind) - definitionKinds.indexOf(a.kind))
    .flatMap((one) => changesOf(one, undefined, desired, document))
  return {
    baseRevision: baseRevisionOf(document.project, registered),
    changes: [...kept, ...deleted],
    desired,
  }
}

/** One change, or none. */
function changesOf(
  before: Definition | undefined,
  after: Definition | undefined,
  desired: Definitions,
  document: RegistryDocument,
): readonly Change[] {
  const one = after ?? before
  if (one === undefined) return []
  const fields = diffDefinition(before && formatDefinition(before), after && formatDefinition(after))
  // What a view reads may change while its own definition stays.
  const effect =
    one.kind === 'feature_view'
      ? viewEffect(one.name, document.definitions, desired, document.views[one.name])
      : undefined
  const touched = effect !== undefined && (effect.impact !== 'safe' || effect.table === 'replace')
  if (before !== undefined && after !== undefined && fields.length === 0 && !touched) return []
  let op: ChangeOp = before === undefined ? 'create' : after === undefined ? 'delete' : 'update'
  if (effect?.table === 'replace') op = 'replace'
  return [{op, address: addressOf(one), impact: effect?.impact ?? 'safe', fields, notes: effect?.notes ?? []}]
}
