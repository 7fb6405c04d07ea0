/** What the two materialize commands share: they differ only in what they load. */
import {BaseCommand} from './base-command.js'
import {runDocument, type RunDocument} from './run-document.js'
import {renderFailures, renderRun} from './render-run.js'
import {showProgress} from './progress.js'
import type {Duration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import type {FeatureStore, LoadOptions} from '../feature-store.js'
import type {RunRecord} from '../registry/registry.js'

interface LoadFlags {
  readonly chdir?: string | undefined
  readonly now?: Instant | undefined
  readonly view?: readonly string[] | undefined
  readonly parallel?: number | undefined
  readonly wait?: Duration | undefined
  readonly 'max-rejects': number
  readonly quiet: boolean
}

export abstract class MaterializeCommand extends BaseCommand {
  /** Runs the load with progress on stderr; the exit code says whether every view was loaded. */
  protected async load(
    flags: LoadFlags,
    start: (store: FeatureStore, options: LoadOptions) => Promise<RunRecord>,
  ): Promise<RunDocument> {
    const run = await this.withStore(flags, (store) =>
      this.withInterrupt(async (signal) => {
        const progress = await showProgress(flags.quiet ? 'none' : process.stderr.isTTY ? 'bars' : 'lines')
        try {
          return await start(store, {
            ...(flags.view === undefined ? {} : {views: flags.view}),
            ...(flags.parallel === undefined ? {} : {parallel: flags.parallel}),
            ...(flags.wait === undefined ? {} : {wait: flags.wait}),
            maxRejects: flags['max-rejects'],
            signal,
            onProgress: progress.update,
          })
        } finally {
          progress.stop()
        }
      }),
    )
    if (run.status !== 'ok') process.exitCode = run.status === 'interrupted' ? 130 : 1
    if (!this.jsonEnabled()) {
      if (!flags.quiet) this.log(renderRun(run))
      const failures = renderFailures(run)
      if (failures !== '') this.logToStderr(failures)
    }
    return runDocument(run)
  }
}
