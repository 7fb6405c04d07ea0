import {parseDuration} from '../../definitions/duration.js'
import {parseS3Location} from '../../aws/s3/s3-location.js'
import {FeatureStoreError} from '../../errors.js'

/** The `offline_store` block of type redshift. */
export interface RedshiftSettings {
  readonly region: string
  readonly database: string
  /** s3://bucket/prefix without a slash at its end. */
  readonly stagingLocation: string
  readonly iamRole: string
  readonly roleArn?: string
  readonly externalId?: string
  /** Who connects to what, as the Data API takes it. */
  readonly connection: Readonly<
    Partial<Record<'ClusterIdentifier' | 'DbUser' | 'WorkgroupName' | 'SecretArn', string>>
  >
  readonly statementTimeoutMillis: number
  /** Over the Glue Data Catalog. */
  readonly externalSchema?: string
}

/** Throws FS_CONFIG_INVALID for what does not say whom to connect as. */
export function redshiftSettings(block: Readonly<Record<string, unknown>>): RedshiftSettings {
  const text = (key: string): string | undefined => block[key] as string | undefined
  const [cluster, workgroup, user, secret] = ['clusterId', 'workgroup', 'user', 'secretArn'].map(text)
  if ((cluster === undefined) === (workgroup === undefined))
    throw invalid(
      `it names ${cluster === undefined ? 'neither `cluster_id` nor `workgroup`' : 'both `cluster_id` and `workgroup`'}. Expected exactly one.`,
      'Give `cluster_id` for a cluster, or `workgroup` for Redshift Serverless.',
    )
  if (user !== undefined && (workgroup !== undefined || secret !== undefined))
    throw invalid(
      `\`user\` stands beside \`${workgroup === undefined ? 'secret_arn' : 'workgroup'}\`, which says who connects.`,
      'Remove `user`.',
    )
  const staging = block['s3StagingLocation'] as string
  if (parseS3Location(staging) === undefined)
    throw invalid(
      `\`s3_staging_location\` ${staging} names no bucket of S3.`,
      'Write s3://bucket/prefix; names of buckets have lower case letters, digits, dots and hyphens.',
    )
  const timeout = parseDuration(text('statementTimeout') ?? '1h')
  return {
    region: block['region'] as string,
    database: block['database'] as string,
    stagingLocation: staging.replace(/\/+$/, ''),
    iamRole: block['iamRole'] as string,
    ...optional('roleArn', text('roleArn')),
    ...optional('externalId', text('externalId')),
    ...optional('externalSchema', text('externalSchema')),
    connection: {
      ...optional('ClusterIdentifier', cluster),
      ...optional('DbUser', user),
      ...optional('WorkgroupName', workgroup),
      ...optional('SecretArn', secret),
    },
    // As everywhere, 0 means for ever.
    statementTimeoutMillis: timeout === 0n ? Infinity : Number((timeout ?? 3_600_000_000n) / 1000n),
  }
}

function optional<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  return value === undefined ? {} : ({[key]: value} as Record<Key, string>)
}

function invalid(what: string, hint: string): FeatureStoreError {
  return new FeatureStoreError('FS_CONFIG_INVALID', `offline_store of type redshift: ${what}`, {hint})
}
