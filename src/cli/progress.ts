/**
 * Progress of a run on stderr: a bar per view on a terminal, plain lines in a pipe or a log. Totals are the engine's
 * estimate of the number of entities, so a bar may end a little early or late.
 */
import {formatCount, formatRows} from './format-number.js'
import type {MaterializeProgress, VerifyProgress} from '../feature-store.js'

const longestView = 24

export interface ProgressDisplay {
  readonly update: (event: MaterializeProgress | VerifyProgress) => void
  readonly stop: () => void
}

export async function showProgress(form: 'bars' | 'lines' | 'none'): Promise<ProgressDisplay> {
  switch (form) {
    case 'bars':
      return bars()
    case 'lines':
      return lines()
    case 'none':
      return {update: () => undefined, stop: () => undefined}
    default:
      return form satisfies never
  }
}

async function bars(): Promise<ProgressDisplay> {
  const {default: cliProgress} = await import('cli-progress')
  const multi = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      // In 80 columns, the longest state included: what wraps is not cleared.
      format: '{view} {bar} {rows}  {rate}/s  {state}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 16,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_grey,
  )
  const views = new Map<string, {bar: ReturnType<typeof multi.create>; startedAt: number}>()
  return {
    update(event) {
      const now = performance.now()
      const waited = waitedFor(event)
      if (waited !== '') multi.log(`${event.view} waits${waited}\n`)
      const entry = views.get(event.view) ?? {
        bar: multi.create(1, 0, {view: shortened(event.view), rows: '0', rate: '0', state: ''}),
        startedAt: now,
      }
      views.set(event.view, entry)
      const seconds = (now - entry.startedAt) / 1000
      const total = Math.max(event.approximateTotal ?? 1, event.rows, 1)
      const rate = seconds > 0 ? event.rows / seconds : 0
      entry.bar.setTotal(total)
      entry.bar.update(event.phase === 'done' ? total : event.rows, {
        rows: formatCount(event.rows),
        rate: formatCount(Math.round(rate)),
        state:
          (event.phase === 'writing' || event.phase === 'checking') && rate > 0
            ? `ETA ${Math.ceil((total - event.rows) / rate)} s`
            : event.phase,
      })
    },
    stop: () => multi.stop(),
  }
}

/** What a run waits for, where it does. */
function waitedFor(event: MaterializeProgress | VerifyProgress): string {
  if (event.phase !== 'waiting') return ''
  if (event.waitingFor !== undefined) return ` for its turn to write, after ${event.waitingFor.join('; ')}`
  return event.storeFailure === undefined ? '' : ` for the online store: ${event.storeFailure}`
}

function shortened(view: string): string {
  return view.length <= longestView ? view : `${view.slice(0, longestView - 1)}…`
}

function lines(): ProgressDisplay {
  const shown = new Map<string, {readonly state: string; readonly rows: number}>()
  return {
    update(event) {
      const last = shown.get(event.view)
      // A log wants a line when something changes, and now and then in a long load.
      const waited = waitedFor(event)
      const state = `${event.phase}${waited}`
      if (last?.state === state && event.rows - last.rows < 1_000_000) return
      shown.set(event.view, {state, rows: event.rows})
      const rows = event.rows > 0 && waited === '' ? `, ${formatRows(event.rows)}` : ''
      process.stderr.write(`${event.view}: ${state}${rows}\n`)
    },
    stop: () => undefined,
  }
}
