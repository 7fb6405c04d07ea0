import {FeatureStoreError} from '../errors.js'
import {ownColumns} from './cassandra/own-columns.js'
import type {OnlineStore, OnlineStoreDriver} from './online-store.js'

/** Every type of online store; its client is loaded when the store is opened. */
const drivers: Readonly<Record<string, () => Promise<OnlineStoreDriver>>> = {
  embedded: async () => (await import('./embedded/embedded-online-store.js')).embeddedDriver,
  cassandra: async () => (await import('./cassandra/cassandra-online-store.js')).cassandraDriver,
  keyspaces: async () => (await import('./cassandra/cassandra-online-store.js')).keyspacesDriver,
  redis: async () => (await import('./redis/redis-online-store.js')).redisDriver,
}

/** Names that no feature and no key may have in a store of this type. */
export function reservedColumnsOf(type: string): readonly string[] {
  return type === 'cassandra' || type === 'keyspaces' ? Object.keys(ownColumns) : []
}

/** Opens the store that feature_store.yaml names. */
export async function openOnlineStore(
  config: {readonly type: string; readonly settings: Readonly<Record<string, unknown>>},
  options: Omit<Parameters<OnlineStoreDriver['open']>[0], 'settings'>,
): Promise<OnlineStore> {
  const load = Object.hasOwn(drivers, config.type) ? drivers[config.type] : undefined
  if (load === undefined) {
    throw new FeatureStoreError(
      'FS_STORE_UNKNOWN',
      `There is no online store of type \`${config.type}\`. Expected one of: ${Object.keys(drivers).join(', ')}.`,
      {hint: 'Set `online_store: {type: embedded}` in feature_store.yaml.'},
    )
  }
  return (await load()).open({...options, settings: config.settings})
}
