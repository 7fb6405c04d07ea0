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
  const extensions = [...new Set(sources.flatMap(extensionsOf))].toSorted()
  if (extensions.length > 0) yield await extensionsFinding(session, extensions)
}

function isOnAws(source: DataSource): boolean {
  return source.type === 'glue' || ('path' in source && isS3Location(source.path))
}

/** Of a table of the catalog only its format tells more. */
function extensionsOf(source: DataSource): readonly string[] {
  const remote = isOnAws(source) ? ['httpfs'] : []
  return source.type === 'delta' || source.type === 'iceberg' ? [...remote, source.type] : remote
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

async function extensionsFinding(session: DuckDbSession, names: readonly string[]): Promise<Finding> {
  for (const name of names) {
    try {
      await loadExtension(session, name, 'A source')
    } catch (error) {
      if (!(error instanceof FeatureStoreError)) throw error
      const isSpared = name === 'httpfs'
      return {
        name: 'extensions',
        status: isSpared ? 'warning' : 'failed',
        detail: isSpared
          ? "httpfs can't be loaded: files in S3 are fetched whole into the cache, and Delta and Iceberg tables there can't be read"
          : error.message,
        remedy: error.hint ?? `Run \`INSTALL ${name}\` once in DuckDB.`,
      }
    }
  }
  return {name: 'extensions', status: 'ok', detail: names.join(', ')}
}
