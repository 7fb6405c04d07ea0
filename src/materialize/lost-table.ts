import type {OnlineStore, OnlineTable} from '../online/online-store.js'
import {storeIdentity} from '../online/store-identity.js'
import type {ViewState} from '../registry/registry.js'

/** Why the online store does not hold what was loaded: its table is gone, it is not the store that was loaded, or it went back. */
export type TableLoss = 'emptied' | 'another_store' | 'went_back'

/**
 * How the online store lost what the registry says was loaded: it was emptied or replaced, it came back from an older
 * backup, or feature_store.yaml names another one since, which may well hold an older load. A loss that leaves the table,
 * the store's identity and the number of its last load is not noticed: single rows that somebody deleted, say.
 */
export async function lossOf(
  online: Pick<OnlineStore, 'listTables' | 'notes' | 'loads'>,
  table: OnlineTable,
  state: ViewState,
): Promise<TableLoss | undefined> {
  const {storeId, loadNumber = 0} = state
  // What is to be loaded again counts as covered no more, and is still there: where it is not, it is no base to load on.
  const holdsNothing = state.covered.length === 0 || state.newestEventTimestamp === undefined
  if (holdsNothing && state.checkpoint === undefined && loadNumber === 0) return undefined
  // Not by its rows: they may all have expired, or none of them could be written.
  if (!(await online.listTables()).includes(table.name)) return 'emptied'
  const found = storeId === undefined ? undefined : await storeIdentity(online)
  if (found !== undefined && found !== storeId) return 'another_store'
  if (loadNumber === 0) return undefined
  return (await online.loads.last(table.name)) < loadNumber ? 'went_back' : undefined
}
