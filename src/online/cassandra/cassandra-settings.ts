import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import type {ConnectionOptions} from 'node:tls'
import type {auth} from 'cassandra-driver'
import {FeatureStoreError} from '../../errors.js'
import {cassandraAbilities, type StoreAbilities} from './store-abilities.js'

/** What a connection needs to know, whatever the block of feature_store.yaml calls it. */
export interface CassandraSettings {
  /** For messages: what the store is. */
  readonly product: 'Cassandra' | 'Amazon Keyspaces'
  /** `host` or `host:port`. */
  readonly contactPoints: readonly string[]
  readonly port: number
  readonly localDatacenter: string
  readonly keyspace: string
  /** Replicas of a keyspace that is made where there is none. */
  readonly createWithReplicas?: number
  readonly authProvider?: auth.AuthProvider
  readonly tls?: ConnectionOptions
  /** Called before a session begins, so that its failure is told as it is. */
  readonly checkLogin?: () => Promise<unknown>
  readonly readConsistency: ConsistencyLevel
  readonly writeConsistency: ConsistencyLevel
  readonly abilities: StoreAbilities
}

export type ConsistencyLevel = 'ONE' | 'LOCAL_ONE' | 'QUORUM' | 'LOCAL_QUORUM' | 'EACH_QUORUM' | 'ALL'

/** Reads the store's block of feature_store.yaml. Throws FS_CONFIG_INVALID. */
export async function readCassandraSettings(
  settings: Readonly<Record<string, unknown>>,
  repoDirectory: string,
): Promise<CassandraSettings> {
  const {
    hosts,
    port = 9042,
    keyspace,
    createKeyspace,
    username,
    password,
    loadBalancing,
    consistency,
    tls,
  } = settings as {
    readonly hosts: readonly string[]
    readonly port?: number
    readonly keyspace: string
    readonly createKeyspace?: {readonly replicationFactor: number}
    readonly username?: string
    readonly password?: string
    readonly loadBalancing?: {readonly localDc: string}
    readonly consistency?: {readonly read?: ConsistencyLevel; readonly write?: ConsistencyLevel}
    readonly tls?: {readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string}
  }
  if (isSystemKeyspace(keyspace))
    throw invalid(`\`keyspace\` ${keyspace} is one of Cassandra's own`, 'Name a keyspace of yours.')
  if ((username === undefined) !== (password === undefined))
    throw invalid('`username` and `password` go together', 'Give both, or none of them.')
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
    throw invalid('`tls.cert_file` and `tls.key_file` go together', 'Give both, or none of them.')
  const [ca, cert, key] = await Promise.all(
    [tls?.caFile, tls?.certFile, tls?.keyFile].map((file) => readPem(file, repoDirectory)),
  )
  // Loaded here, so that a repo without Cassandra does not load its driver.
  const {auth} = (await import('cassandra-driver')).default
  return {
    product: 'Cassandra',
    contactPoints: hosts,
    port,
    localDatacenter: loadBalancing?.localDc ?? 'datacenter1',
    keyspace,
    ...(createKeyspace === undefined ? {} : {createWithReplicas: createKeyspace.replicationFactor}),
    ...(username === undefined || password === undefined
      ? {}
      : {authProvider: new auth.PlainTextAuthProvider(username, password)}),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            // The driver's own default is to accept any certificate.
            rejectUnauthorized: true,
            ...(ca === undefined ? {} : {ca}),
            ...(cert === undefined ? {} : {cert}),
            ...(key === undefined ? {} : {key}),
          },
        }),
    readConsistency: consistency?.read ?? 'LOCAL_ONE',
    writeConsistency: consistency?.write ?? 'LOCAL_QUORUM',
    abilities: cassandraAbilities,
  }
}

/** `system`, `system_auth`, …, and Amazon's `system_schema_mcs`, … */
export function isSystemKeyspace(name: string): boolean {
  return /^system(_\w+)?$/.test(name)
}

async function readPem(file: string | undefined, repoDirectory: string): Promise<Buffer | undefined> {
  if (file === undefined) return undefined
  return readFile(resolve(repoDirectory, file)).catch((cause: unknown) => {
    throw invalid(`${file} can't be read`, 'Name a PEM file, relative to the repo.', cause)
  })
}

function invalid(reason: string, hint: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_CONFIG_INVALID', `\`online_store\`: ${reason}.`, {hint, cause})
}
