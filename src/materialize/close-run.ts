import type {Instant} from '../definitions/instant.js'
import type {ProcessIdentity, RunRecord} from '../registry/registry.js'

/** The records with a run closed that can't do it itself: it was killed. A run that has ended stays as it is. */
export function closeRun(runs: readonly RunRecord[], id: string, at: Instant): readonly RunRecord[] {
  return runs.map((run) => (run.id === id && run.status === 'running' ? killed(run, at) : run))
}

/** The records with every run closed whose process is surely gone; the very same records when there is none. */
export function closeDeadRuns(
  runs: readonly RunRecord[],
  isAlive: (holder: ProcessIdentity) => boolean | undefined,
  at: Instant,
): readonly RunRecord[] {
  const isDead = (run: RunRecord): boolean => run.status === 'running' && isAlive(run.holder) === false
  return runs.some(isDead) ? runs.map((run) => (isDead(run) ? killed(run, at) : run)) : runs
}

function killed(run: RunRecord, at: Instant): RunRecord {
  return {
    ...run,
    status: 'failed',
    finishedAt: at,
    views: run.views.map((view) =>
      view.status === 'running'
        ? {
            ...view,
            status: 'failed',
            error: {
              code: 'FS_INTERRUPTED',
              message:
                'The run was killed while it loaded this view. What it wrote stays, and the next run makes up for the rest.',
              hint: 'Run `fs materialize-incremental`: it loads what is missing.',
            },
          }
        : view,
    ),
  }
}
