import type {OnlineStore, OnlineTable} from '../online/online-store.js'
import {storeIdentity} from '../online/store-identity.js'
import type {ViewState} from '../registry/registry.js'

/** Why the online store does not hold what was loaded: it holds none of it, or was not what was loaded. */
export type TableLoss = 'emptied' | 'another_store'

/**
 * How the online store lost what the registry says was loaded: it was emptied or replaced, or feature_store.yaml names
 * another one since, which may well hold an older load. Only a table that lost everything is noticed.
 */
export async function lossOf(
  online: Pick<OnlineStore, 'countRows' | 'listTables' | 'notes'>,
  table: OnlineTable,
  state: ViewState,
): Promise<TableLoss | undefined> {
  const holdsNothing = state.covered.length === 0 || state.newestEventTimestamp === undefined
  if (holdsNothing && state.checkpoint === undefined) return undefined
  const rows = await online.countRows(table)
  const isEmpty = rows === undefined ? !(await online.listTables()).includes(table.name) : rows === 0
  if (isEmpty) return 'emptied'
  const {storeId} = state
  return storeId !== undefined && (await storeIdentity(online)) !== storeId ? 'another_store' : undefined
}

/** The state of a view of which nothing is online. */
export function withoutCoverage(state: ViewState): ViewState {
  const {
    newestEventTimestamp: _newest,
    arrival: _arrival,
    checkpoint: _checkpoint,
    snapshot: _snapshot,
    begunSyncs: _begun,
    storeId: _storeId,
    ...rest
  } = state
  return {...rest, covered: []}
}
