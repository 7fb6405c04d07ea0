import type {OnlineStore} from '../online/online-store.js'
import {FeatureStoreError} from '../errors.js'
import type {Lease, Registry} from '../registry/registry.js'
import {knownTables} from '../registry/table-names.js'

/**
 * Removes all online tables of the project, those that only the store knows of included, then its registry. Nothing of
 * another project is touched. Safe to run twice, and after a run that was killed. Throws FS_VIEW_BUSY while a run loads a
 * view: what it writes would stay, and nobody would know of it. The caller closes the store.
 */
export async function teardown(options: {
  readonly registry: Registry
  readonly openOnlineStore: () => Promise<OnlineStore>
  readonly isHeld: (lease: Lease) => boolean
}): Promise<{readonly tables: readonly string[]}> {
  // Reading first: a registry of another project throws here, before anything is gone.
  const {document} = await options.registry.read()
  for (const [view, {lease}] of Object.entries(document.views))
    if (lease !== undefined && options.isHeld(lease)) throw busy(view, lease)
  const online = await options.openOnlineStore()
  const held = await online.listTables()
  await online.drop([...new Set([...knownTables(document), ...held])])
  await options.registry.destroy()
  return {tables: [...held].sort()}
}

function busy(view: string, {runId, holder}: Lease): FeatureStoreError {
  return new FeatureStoreError(
    'FS_VIEW_BUSY',
    `Run ${runId} is loading feature_view/${view}: process ${holder.pid} on ${holder.host}. Nothing was removed.`,
    {hint: 'Wait for it, or stop it. One that was killed on another machine counts as dead a minute later.'},
  )
}
