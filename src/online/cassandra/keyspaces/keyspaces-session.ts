import type {Instant} from '../../../definitions/instant.js'
import type {CassandraSettings} from '../cassandra-settings.js'
import {keyspacesAbilities} from '../store-abilities.js'
import {awsCredentials} from '../../../aws/credentials.js'
import {readKeyspacesSettings} from './keyspaces-settings.js'
import {SigV4AuthProvider} from './sigv4-authenticator.js'

/** The settings of a session with Amazon Keyspaces, from its block of feature_store.yaml. Throws FS_CONFIG_INVALID. */
export async function keyspacesSession(
  settings: Readonly<Record<string, unknown>>,
  repoDirectory: string,
  clock: () => Instant,
): Promise<CassandraSettings> {
  const {region, role, ssl, localDataCenter, consistency, ...place} = await readKeyspacesSettings(
    settings,
    repoDirectory,
  )
  const credentials = awsCredentials({region, ...role, clock})
  return {
    ...place,
    product: 'Amazon Keyspaces',
    localDatacenter: localDataCenter,
    authProvider: new SigV4AuthProvider({region, credentials, clock}),
    checkLogin: credentials,
    tls: ssl,
    readConsistency: consistency.read,
    writeConsistency: consistency.write,
    abilities: keyspacesAbilities,
  }
}
