import type {OnlineStore, OnlineTable} from '../online/online-store.js'
import {storeIdentity} from '../online/store-identity.js'
import type {ViewState} from '../registry/registry.js'

/** Why the online store does not hold what was loaded: its table is gone, or it is not the store that was loaded. */
export type TableLoss = 'emptied' | 'another_store'

/**
 * How the online store lost what the registry says was loaded: it was emptied or replaced, or feature_store.yaml names
 * another one since, which may well hold an older load. Only a table that lost everything is noticed.
 */
export async function lossOf(
  online: Pick<OnlineStore, 'listTables' | 'notes'>,
  table: OnlineTable,
  state: ViewState,
): Promise<TableLoss | undefined> {
  const holdsNothing = state.covered.length === 0 || state.newestEventTimestamp === undefined
  if (holdsNothing && state.checkpoint === undefined) return undefined
  // Not by its rows: they may all have expired, or none of them could be written.
  if (!(await online.listTables()).includes(table.name)) return 'emptied'
  const {storeId} = state
  const found = storeId === undefined ? undefined : await storeIdentity(online)
  return found === undefined || found === storeId ? undefined : 'another_store'
}
