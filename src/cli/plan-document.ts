import type {Change, Plan} from '../plan/plan.js'

/** A plan as `--json` shows it; what a field did not have before, or has no longer, is null. */
export interface PlanDocument {
  readonly base_revision: string
  readonly warnings?: readonly string[]
  readonly changes: readonly Pick<Change, 'op' | 'address' | 'impact' | 'fields' | 'notes'>[]
}

export function planDocument(plan: Plan): PlanDocument {
  return {
    base_revision: plan.baseRevision,
    ...(plan.warnings === undefined ? {} : {warnings: plan.warnings}),
    changes: plan.changes.map(({op, address, impact, fields, notes}) => ({
      op,
      address,
      impact,
      fields: fields.map(({path, before, after}) => ({path, before: before ?? null, after: after ?? null})),
      notes,
    })),
  }
}
