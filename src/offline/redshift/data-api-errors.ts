import type {DescribeStatementCommandOutput} from '@aws-sdk/client-redshift-data'
import {FeatureStoreError} from '../../errors.js'
import type {RedshiftSettings} from './redshift-settings.js'

/** Not tried again by the SDK: the cluster has as many statements, sessions or waiting requests as it takes. */
const busy: ReadonlySet<string> = new Set([
  'ActiveStatementsExceededException',
  'ActiveSessionsExceededException',
  'ActiveWaitingRequestsExceededException',
])

export function isBusy(error: unknown): boolean {
  return error instanceof Error && busy.has(error.name)
}

/** What a refused request means for the user. */
export function apiError(error: unknown, settings: RedshiftSettings): unknown {
  if (!(error instanceof Error) || error instanceof FeatureStoreError) return error
  const where = settings.connection.ClusterIdentifier ?? settings.connection.WorkgroupName ?? ''
  const message = error.message.replace(/\.?$/, '.')
  return new FeatureStoreError(
    isBusy(error) ? 'FS_STORE_BUSY' : 'FS_STORE_UNAVAILABLE',
    `Redshift \`${where}\` can't be asked: ${error.name}: ${message}`,
    {hint: hintOf(error), cause: error},
  )
}

function hintOf(error: Error): string {
  switch (error.name) {
    case 'AccessDeniedException':
      return 'Allow redshift-data:* and redshift:GetClusterCredentials (GetClusterCredentialsWithIAM where offline_store names no `user`, redshift-serverless:GetCredentials for a workgroup) to who runs this; `fs doctor` says who that is.'
    case 'ExpiredTokenException':
      return 'Log in to AWS again.'
    case 'ResourceNotFoundException':
    case 'ValidationException':
      return 'Check `cluster_id` or `workgroup`, `database`, `user` or `secret_arn`, and `region` of offline_store.'
    case 'TimeoutError':
    case 'Error':
      return `Check that this machine reaches AWS: the network, a VPC endpoint of redshift-data, AWS_ENDPOINT_URL.`
    default:
      return isBusy(error)
        ? 'Run it again when less is asked of the warehouse.'
        : 'Check `offline_store` in feature_store.yaml, and that the warehouse runs.'
  }
}

/** A statement that the engine refused or that somebody stopped. */
export function statementFailed(
  state: DescribeStatementCommandOutput,
  id: string,
  sql: string,
): FeatureStoreError {
  const said =
    state.Status === 'ABORTED'
      ? 'the statement was cancelled'
      : (state.Error ?? 'the statement failed').replace(/^ERROR:\s*/, '').replaceAll(/\s*\n\s*/g, ' ')
  return new FeatureStoreError(
    'FS_QUERY_FAILED',
    `Redshift: ${said.replace(/\.?$/, '')} (statement ${id}).`,
    {
      hint: 'Correct the SQL, or the data that it reads; the console of Redshift shows the statement by its id.',
      cause: new Error(sql),
    },
  )
}
