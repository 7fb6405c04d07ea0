import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {OnlineStore} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import type {Lease, RegistryDocument, ViewState} from '../registry/registry.js'
import {lossOf} from './lost-table.js'

/** What is online of a view, and how it came there. */
export interface ViewStatus {
  readonly name: string
  /** False: the view is for training only. */
  readonly online: boolean
  /** True: the store does not hold what was loaded, or not all of it; the next incremental run loads it again. */
  readonly lost?: boolean
  /** What was loaded completely. */
  readonly covered: readonly Interval[]
  readonly newestEventTimestamp?: Instant | undefined
  /** Rows in the online store; undefined where it can't tell cheaply. */
  readonly rows?: number | undefined
  /** How other programs call its table, in a store whose rows they may read. */
  readonly onlineTable?: string | undefined
  readonly lastRun?: ViewState['lastRun']
  /** Who is loading it now. */
  readonly lease?: Lease | undefined
}

/** The status of every registered view, by name. The online store is opened only when a view has a table. */
export async function viewStatuses(
  document: RegistryDocument,
  openOnlineStore: () => Promise<OnlineStore>,
  isHeld: (lease: Lease) => boolean,
): Promise<readonly ViewStatus[]> {
  const {definitions, views} = document
  return Promise.all(
    definitions.featureViews.map(async (view) => {
      const state = views[view.name]
      if (state === undefined || !view.online) return {name: view.name, online: view.online, covered: []}
      const store = await openOnlineStore()
      const table = onlineTableOf(view, definitions, state.table)
      return {
        name: view.name,
        online: true,
        covered: state.covered,
        newestEventTimestamp: state.newestEventTimestamp,
        rows: await store.countRows(table),
        onlineTable: store.nameForOthers(table.name),
        ...((await lossOf(store, table, state)) === undefined ? {} : {lost: true}),
        ...(state.lastRun === undefined ? {} : {lastRun: state.lastRun}),
        ...(state.lease !== undefined && isHeld(state.lease) ? {lease: state.lease} : {}),
      }
    }),
  )
}
