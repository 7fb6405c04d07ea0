import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import {FeatureStoreError} from '../../errors.js'
import {parseConnectionString, type RedisAddress} from './connection-string.js'

export interface RedisSettings extends RedisAddress {
  readonly type: 'redis' | 'redis_cluster' | 'redis_sentinel'
  /** The master that the sentinels watch. */
  readonly sentinelMaster?: string
  /** The certificates to trust (PEM), instead of the system's. */
  readonly ca?: Buffer
}

/** Reads the store's block of feature_store.yaml. Throws FS_CONFIG_INVALID. */
export async function readRedisSettings(
  settings: Readonly<Record<string, unknown>>,
  repoDirectory: string,
): Promise<RedisSettings> {
  const {connectionString, redisType, sentinelMaster, caFile} = settings as {
    readonly connectionString: string
    readonly redisType?: RedisSettings['type']
    readonly sentinelMaster?: string
    readonly caFile?: string
  }
  const address = parseConnectionString(connectionString)
  const type = redisType ?? 'redis'
  if (type === 'redis' && address.nodes.length > 1)
    throw invalid('several hosts need a `redis_type`', 'Set redis_type: redis_cluster, or redis_sentinel.')
  if (type === 'redis_cluster' && address.db !== 0)
    throw invalid('a cluster has no `db` but 0', 'Leave `db` out: projects are kept apart by their keys.')
  if (type === 'redis_sentinel' && sentinelMaster === undefined)
    throw invalid('sentinels need `sentinel_master`', 'Name the master that they watch, often `mymaster`.')
  return {
    ...address,
    type,
    // Whoever names certificates means TLS.
    ssl: address.ssl || caFile !== undefined,
    ...(sentinelMaster === undefined ? {} : {sentinelMaster}),
    ...(caFile === undefined ? {} : {ca: await readCertificates(resolve(repoDirectory, caFile), caFile)}),
  }
}

async function readCertificates(path: string, shown: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw invalid(`${shown} can't be read`, 'Name a PEM file, relative to the repo.', cause)
  })
}

function invalid(reason: string, hint: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_CONFIG_INVALID', `\`online_store\`: ${reason}.`, {hint, cause})
}
