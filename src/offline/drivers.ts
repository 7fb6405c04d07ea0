import {FeatureStoreError} from '../errors.js'
import type {OfflineStore, OfflineStoreDriver} from './offline-store.js'

/** Every type of offline store; its engine is loaded when the store is opened. */
const drivers: Readonly<Record<string, () => Promise<OfflineStoreDriver>>> = {
  duckdb: async () => (await import('./duckdb/duckdb-offline-store.js')).duckDbDriver,
  redshift: async () => (await import('./redshift/redshift-offline-store.js')).redshiftDriver,
}

/** Opens the store that feature_store.yaml names. */
export async function openOfflineStore(
  config: {readonly type: string; readonly settings: Readonly<Record<string, unknown>>},
  options: {readonly repoDirectory: string},
): Promise<OfflineStore> {
  const load = Object.hasOwn(drivers, config.type) ? drivers[config.type] : undefined
  if (load === undefined) {
    throw new FeatureStoreError(
      'FS_STORE_UNKNOWN',
      `There is no offline store of type \`${config.type}\`. Expected one of: ${Object.keys(drivers).join(', ')}.`,
      {hint: 'Set `offline_store: {type: duckdb}` in feature_store.yaml.'},
    )
  }
  return (await load()).open({...options, settings: config.settings})
}
