import ansis from 'ansis'
import type {Change, Plan} from '../plan/plan.js'

/** The plan as people read it: a sign and an address per change, its fields, and what it means for the data. */
export function renderPlan(plan: Plan): string {
  if (plan.changes.length === 0) return 'No changes. What is registered is what the repo defines.'
  return [...plan.changes.map(renderChange), '', renderCounts(plan.changes)].join('\n')
}

/** Whether anything would be lost that only a backfill, or nothing, brings back. */
export function destroysData(plan: Plan): boolean {
  return plan.changes.some((change) => change.impact === 'destroys_data')
}

function renderChange(change: Change): string {
  const lines = [`  ${sign(change)} ${ansis.bold(change.address)}  ${renderImpact(change)}`]
  for (const field of change.fields) lines.push(`      ${renderField(change, field)}`)
  for (const note of change.notes) lines.push(`      ${ansis.dim(`# ${note}`)}`)
  return lines.join('\n')
}

function renderField(change: Change, field: Change['fields'][number]): string {
  const before = renderValue(field.before)
  const after = renderValue(field.after)
  if (change.op === 'create' || field.before === undefined)
    return `${ansis.green('+')} ${field.path}: ${after}`
  if (change.op === 'delete' || field.after === undefined) return `${ansis.red('-')} ${field.path}: ${before}`
  return `${ansis.yellow('~')} ${field.path}: ${before} ${ansis.dim('->')} ${after}`
}

function sign(change: Change): string {
  switch (change.op) {
    case 'create':
      return ansis.green('+')
    case 'update':
      return ansis.yellow('~')
    case 'replace':
      return ansis.red('-') + ansis.dim('/') + ansis.green('+')
    case 'delete':
      return ansis.red('-')
    default:
      return change.op satisfies never
  }
}

function renderImpact(change: Change): string {
  switch (change.impact) {
    case 'safe':
      return ansis.dim('(safe)')
    case 'backfill':
      return ansis.yellow('(needs a backfill: the next materialize-incremental does it)')
    case 'destroys_data':
      return ansis.red('(destroys online data)')
    default:
      return change.impact satisfies never
  }
}

function renderCounts(changes: readonly Change[]): string {
  const count = (op: Change['op']): number => changes.filter((change) => change.op === op).length
  const parts = [
    [count('create'), 'to create'],
    [count('update'), 'to change'],
    [count('replace'), 'to replace'],
    [count('delete'), 'to delete'],
  ] as const
  return `${ansis.bold('Plan:')} ${parts
    .filter(([number], index) => number > 0 || index !== 2)
    .map(([number, text]) => `${number} ${text}`)
    .join(', ')}.`
}

function renderValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'none')
}
