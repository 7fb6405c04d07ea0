import type {OnlineStore, OnlineTable} from '../online/online-store.js'
import type {ViewState} from '../registry/registry.js'

/**
 * Whether the online store no longer holds what the registry says was loaded: its folder or server was replaced, or
 * emptied by somebody else. Only a table that lost everything is noticed.
 */
export async function isTableLost(
  online: Pick<OnlineStore, 'countRows' | 'listTables'>,
  table: OnlineTable,
  state: ViewState,
): Promise<boolean> {
  const holdsNothing = state.covered.length === 0 || state.newestEventTimestamp === undefined
  if (holdsNothing && state.checkpoint === undefined) return false
  const rows = await online.countRows(table)
  return rows === undefined ? !(await online.listTables()).includes(table.name) : rows === 0
}

/** The state of a view of which nothing is online. */
export function withoutCoverage(state: ViewState): ViewState {
  const {
    newestEventTimestamp: _newest,
    arrival: _arrival,
    checkpoint: _checkpoint,
    snapshot: _snapshot,
    ...rest
  } = state
  return {...rest, covered: []}
}
