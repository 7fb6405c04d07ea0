import {BaseCommand} from '../cli/base-command.js'
import {nowFlag} from '../cli/flags.js'
import {formatCount} from '../cli/format-number.js'
import {intervalDocument, optionalInstant, type IntervalDocument} from '../cli/run-document.js'
import {renderTable} from '../cli/render-table.js'
import {renderAge, renderInterval} from '../cli/render-time.js'
import type {ViewStatus} from '../feature-store.js'

interface StatusDocument {
  readonly views: readonly {
    readonly name: string
    readonly online: boolean
    /** How other programs call its table, in a store whose rows they may read. */
    readonly online_table: string | null
    readonly covered: readonly IntervalDocument[]
    readonly newest_event_timestamp: string | null
    readonly rows: number | null
    /** The store does not hold what was loaded; the next incremental run loads it again. */
    readonly lost: boolean
    readonly last_run: {readonly run_id: string; readonly status: string; readonly finished_at: string} | null
    readonly loading: {
      readonly run_id: string
      readonly host: string
      readonly pid: number
      readonly since: string
    } | null
  }[]
}

export default class Status extends BaseCommand {
  static override summary = 'Show for each feature view what is online and how fresh it is.'
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json']
  static override flags = nowFlag

  async run(): Promise<StatusDocument> {
    const {flags} = await this.parse(Status)
    return this.withStore(flags, async (store) => {
      const {views} = await store.status()
      this.log(
        views.length === 0 ? 'No feature view is applied. Run `fs apply`.' : renderStatus(views, store.now()),
      )
      return statusDocument(views)
    })
  }
}

function renderStatus(views: readonly ViewStatus[], now: bigint): string {
  const lost = views.filter((view) => view.lost === true).map(({name}) => name)
  const hasTables = views.some((view) => view.onlineTable !== undefined)
  const table = renderTable(
    ['VIEW', 'ROWS', 'NEWEST ROW', 'LAST RUN', 'COVERED', ...(hasTables ? ['TABLE'] : [])],
    views.map((view) => [
      view.name,
      view.lost === true ? 'lost' : view.rows === undefined ? '-' : formatCount(view.rows),
      renderAge(view.newestEventTimestamp, now),
      view.lease === undefined
        ? view.lastRun === undefined
          ? 'never'
          : `${view.lastRun.status}, ${renderAge(view.lastRun.finishedAt, now)}`
        : `loading since ${renderAge(view.lease.since, now)}`,
      view.online ? view.covered.map(renderInterval).join(' ') || 'nothing' : 'not online',
      ...(hasTables ? [view.onlineTable ?? '-'] : []),
    ]),
    {alignRight: [1]},
  )
  if (lost.length === 0) return table
  return `${table}\n\nThe online store does not hold what was loaded of ${lost.join(', ')}; \`fs materialize-incremental\` loads all of it again.`
}

function statusDocument(views: readonly ViewStatus[]): StatusDocument {
  return {
    views: views.map((view) => ({
      name: view.name,
      online: view.online,
      online_table: view.onlineTable ?? null,
      covered: view.covered.map(intervalDocument),
      newest_event_timestamp: optionalInstant(view.newestEventTimestamp),
      rows: view.rows ?? null,
      lost: view.lost ?? false,
      last_run:
        view.lastRun === undefined
          ? null
          : {
              run_id: view.lastRun.runId,
              status: view.lastRun.status,
              finished_at: optionalInstant(view.lastRun.finishedAt) ?? '',
            },
      loading:
        view.lease === undefined
          ? null
          : {
              run_id: view.lease.runId,
              host: view.lease.holder.host,
              pid: view.lease.holder.pid,
              since: optionalInstant(view.lease.since) ?? '',
            },
    })),
  }
}
