import type {OnlineStore} from '../online/online-store.js'
import type {Registry} from '../registry/registry.js'
import {knownTables} from '../registry/table-names.js'

/**
 * Removes all online tables of the project, those that only the store knows of included, then its registry. Nothing of
 * another project is touched. Safe to run twice, and after a run that was killed. The caller closes the store.
 */
export async function teardown(options: {
  readonly registry: Registry
  readonly openOnlineStore: () => Promise<OnlineStore>
}): Promise<{readonly tables: readonly string[]}> {
  // Reading first: a registry of another project throws here, before anything is gone.
  const {document} = await options.registry.read()
  const online = await options.openOnlineStore()
  const held = await online.listTables()
  await online.drop([...new Set([...knownTables(document), ...held])])
  await options.registry.destroy()
  return {tables: [...held].sort()}
}
