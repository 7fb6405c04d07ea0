import {BaseCommand} from '../../cli/base-command.js'
import {formatCount} from '../../cli/format-number.js'
import {renderTable} from '../../cli/render-table.js'
import {renderSpan} from '../../cli/render-time.js'
import {runDocument, type RunDocument} from '../../cli/run-document.js'
import {formatInstant} from '../../definitions/instant.js'
import type {RunRecord} from '../../registry/registry.js'

export default class RunsList extends BaseCommand {
  static override summary = 'List the runs that loaded the online store, newest first.'
  static override examples = ['<%= config.bin %> runs list']

  async run(): Promise<{runs: readonly RunDocument[]}> {
    const {flags} = await this.parse(RunsList)
    return this.withStore(flags, async (store) => {
      const runs = await store.listRuns()
      this.log(runs.length === 0 ? 'No run yet.' : renderRuns(runs))
      return {runs: runs.map(runDocument)}
    })
  }
}

function renderRuns(runs: readonly RunRecord[]): string {
  return renderTable(
    ['RUN', 'COMMAND', 'STATUS', 'STARTED', 'TOOK', 'VIEWS', 'WRITTEN', 'REJECTED'],
    runs.map((run) => [
      run.id,
      run.command,
      run.status,
      formatInstant(run.startedAt),
      run.finishedAt === undefined ? '-' : renderSpan(run.finishedAt - run.startedAt),
      formatCount(run.views.length),
      formatCount(run.views.reduce((sum, view) => sum + view.rows.written, 0)),
      formatCount(run.views.reduce((sum, view) => sum + view.rows.rejected, 0)),
    ]),
    {alignRight: [5, 6, 7]},
  )
}
