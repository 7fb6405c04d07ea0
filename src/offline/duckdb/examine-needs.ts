import {callerIdentity} from '../../aws/caller-identity.js'
import {s3Region} from '../../aws/client-settings.js'
import {isS3Location} from '../../aws/s3/s3-location.js'
import type {DataSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import type {Examination, Finding} from '../../examination.js'
import {credentialsFinding} from '../../examine-credentials.js'
import type {DuckDbSession} from './duckdb-session.js'
import {loadExtension} from './load-extension.js'

/** What the sources need beside the engine: credentials of AWS, roles, extensions. Nothing for files of this machine. */
export async function* examineNeeds(session: DuckDbSession, sources: readonly DataSource[]): Examination {
  const region = s3Region()
  if (sources.some(isOnAws)) yield await credentialsFinding({region})
  const roles = new Set(sources.flatMap((source) => (source.type === 'glue' ? (source.roleArn ?? []) : [])))
  for (const roleArn of roles) yield await roleFinding(roleArn, region)
  const needed = [...new Set(sources.flatMap(extensionsOf))].toSorted()
  if (needed.length > 0) yield await extensionsFinding(session, needed, sources)
}

function isOnAws(source: DataSource): boolean {
  return source.type === 'glue' || ('path' in source && isS3Location(source.path))
}

/** Of a table of the catalog only its format tells more. */
function extensionsOf(source: DataSource): readonly string[] {
  const remote = isOnAws(source) ? ['httpfs'] : []
  return isLakeTable(source) ? [...remote, source.type] : remote
}

function isLakeTable(source: DataSource): boolean {
  return source.type === 'delta' || source.type === 'iceberg'
}

async function roleFinding(roleArn: string, region: string): Promise<Finding> {
  const who = await callerIdentity({region, roleArn})
  if (who !== undefined) return {name: 'role', status: 'ok', detail: who}
  return {
    name: 'role',
    status: 'failed',
    detail: `${roleArn} can't be assumed`,
    remedy: 'Check `role_arn` of the source, and whom the role trusts.',
  }
}

async function extensionsFinding(
  session: DuckDbSession,
  needed: readonly string[],
  sources: readonly DataSource[],
): Promise<Finding> {
  const missing: {readonly name: string; readonly hint: string}[] = []
  for (const name of needed) {
    try {
      await loadExtension(session, name, 'A source')
    } catch (error) {
      if (!(error instanceof FeatureStoreError)) throw error
      missing.push({name, hint: error.hint ?? ''})
    }
  }
  if (missing.length === 0) return {name: 'extensions', status: 'ok', detail: needed.join(', ')}
  const names = missing.map(({name}) => name).join(', ')
  const remedy = missing.map(({hint}) => hint).join(' ')
  // Without httpfs alone files are still read; the tables of lakes are not.
  const isSpared = names === 'httpfs' && !sources.some((source) => isLakeTable(source) && isOnAws(source))
  return isSpared
    ? {
        name: 'extensions',
        status: 'warning',
        detail: "httpfs can't be loaded: objects of S3 are fetched whole into the cache first",
        remedy,
      }
    : {name: 'extensions', status: 'failed', detail: `${names} can't be loaded`, remedy}
}
