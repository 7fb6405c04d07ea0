import {FeatureStoreError} from '../errors.js'
import type {OnlineStore, OnlineTable} from '../online/online-store.js'

/** A server that ends each time is no place for a load. */
const mostLoads = 3

/** Where the rows of a load go. */
export interface LoadedTable {
  readonly online: OnlineStore
  readonly table: OnlineTable
  /** The number of the last load whose rows must be there still. */
  readonly loadNumber: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Loads, and again where a server ended meanwhile that held part of it: what it had acknowledged may be gone, though it
 * came back. `servers`: those that held what is not loaded again. Returns the number of the load. Throws FS_VIEW_CHANGED
 * where what was online before is gone, too.
 */
export async function loadDurably(
  into: LoadedTable,
  servers: readonly string[],
  load: (attempt: number) => Promise<void>,
): Promise<number> {
  let before = servers
  for (let attempt = 1; ; attempt += 1) {
    await load(attempt)
    const number = await noteDurably(into)
    const after = await into.online.volatileServers(into.signal)
    if (before.every((server) => after.includes(server))) return number
    if (attempt === mostLoads) throw serverEnded(mostLoads)
    before = after
  }
}

/**
 * Notes that the rows of a load are there, in a table that holds what it held before. Returns the number of the load. Throws
 * FS_VIEW_CHANGED where the table is gone, or what was in it before.
 */
export async function noteDurably({online, table, loadNumber, signal}: LoadedTable): Promise<number> {
  // A server that came back empty after the last write would else count as loaded.
  const isThere = (await online.listTables()).includes(table.name)
  const number = isThere ? await online.loads.next(table.name, loadNumber, signal) : undefined
  if (number !== undefined) return number
  throw new FeatureStoreError(
    'FS_VIEW_CHANGED',
    'The online table of the view was gone when this run had loaded it, or what it had held before, so nothing counts as loaded.',
    {hint: 'Something else was applied, or the store lost what it held: run it again.'},
  )
}

export function serverEnded(times: number): FeatureStoreError {
  const often = times === 1 ? '' : `, ${times} times`
  return new FeatureStoreError(
    'FS_STORE_UNAVAILABLE',
    `A server of the online store ended while it was loaded${often}, and may have lost rows that it had taken, so nothing counts as loaded.`,
    {hint: 'Run it again when the server stays up: it loads all of that anew.'},
  )
}
