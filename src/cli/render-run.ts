import ansis from 'ansis'
import type {RunRecord, RunWriting, ViewRun} from '../registry/registry.js'
import {formatCount} from './format-number.js'
import {renderTable} from './render-table.js'
import {renderInterval, renderSpan} from './render-time.js'
import {formatInstant} from '../definitions/instant.js'

/** A run in short: a line per view with its counts, then what is worth knowing. */
export function renderRun(run: RunRecord): string {
  const took = run.finishedAt === undefined ? '' : ` in ${renderSpan(run.finishedAt - run.startedAt)}`
  const table = renderTable(
    ['', 'VIEW', 'READ', 'WRITTEN', 'UNCHANGED', 'REJECTED', 'DELETED', 'INTERVAL'],
    run.views.map((view) => [
      statusMark(view.status),
      view.name,
      ...[view.rows.read, view.rows.written, view.rows.unchanged, view.rows.rejected, view.rows.deleted].map(
        formatCount,
      ),
      view.intervals.map(renderInterval).join(' ') || '-',
    ]),
    {alignRight: [2, 3, 4, 5, 6]},
  )
  const snapshots = run.views.flatMap((view) =>
    Object.entries(view.snapshots ?? {}).map(([source, one]) => `  ${view.name}: read ${source} at ${one}`),
  )
  const notes = run.views.flatMap((view) => (view.notes ?? []).map((note) => `  ${view.name}: ${note}`))
  const writing = run.writing === undefined ? [] : [renderWriting(run.writing)]
  return [`Run ${ansis.bold(run.id)}: ${run.status}${took}`, table, ...snapshots, ...notes, ...writing].join(
    '\n',
  )
}

function renderWriting(writing: RunWriting): string {
  const {requests, retries, waitedForTurnMillis, p50Millis, p99Millis, rate} = writing
  const fastest = (Math.max(0, ...rate.rows) * 1000) / rate.everyMillis
  const again = Object.entries(retries).map(([cause, count]) => `${formatCount(count)} for ${cause}`)
  // A load that ended within one interval of the record had no rate to speak of.
  const peak = rate.rows.length > 1 ? `, at most ${formatCount(Math.round(fastest))} rows/s` : ''
  return [
    `  ${formatCount(requests)} ${requests === 1 ? 'write' : 'writes'} of ${p50Millis.toFixed(1)} ms (p99 ${p99Millis.toFixed(1)} ms)${peak}`,
    ...(again.length === 0 ? [] : [`sent again: ${again.join(', ')}`]),
    ...(waitedForTurnMillis < 1000
      ? []
      : [`waited ${renderSpan(BigInt(Math.round(waitedForTurnMillis)) * 1000n)} for its turn`]),
  ].join('; ')
}

/** Everything of a run, for `runs show`. */
export function renderRunDetails(run: RunRecord): string {
  return [
    `${run.command} on ${run.holder.host} (process ${run.holder.pid})`,
    `started  ${formatInstant(run.startedAt)}`,
    `finished ${run.finishedAt === undefined ? '-' : formatInstant(run.finishedAt)}`,
    renderRun(run),
    renderFailures(run),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** What went wrong in a run, view by view; empty when nothing did. */
export function renderFailures(run: RunRecord): string {
  return run.views.flatMap(renderFailure).join('\n')
}

function renderFailure(view: ViewRun): string[] {
  const lines: string[] = []
  if (view.error !== undefined) {
    lines.push(
      `${ansis.bold.red('Error')} ${ansis.dim(`[${view.error.code}]`)} feature_view/${view.name}: ${view.error.message}`,
    )
    if (view.error.hint !== undefined) lines.push(`  ${ansis.cyan('Hint:')} ${view.error.hint}`)
  }
  if (view.rejectsFile !== undefined) {
    lines.push(
      `  ${formatCount(view.rows.rejected)} rejected rows of ${view.name} are kept in ${view.rejectsFile}`,
    )
  }
  return lines
}

function statusMark(status: ViewRun['status']): string {
  switch (status) {
    case 'ok':
      return ansis.green('✓')
    case 'failed':
      return ansis.red('✗')
    case 'running':
      return ansis.yellow('…')
    default:
      return status satisfies never
  }
}
