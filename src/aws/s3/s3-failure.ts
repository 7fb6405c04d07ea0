/** What a failure of S3 means: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
import {FeatureStoreError} from '../../errors.js'

export interface S3Failure {
  /** `other` holds what may pass, as well as what no list of ours foresees. */
  readonly kind: 'no-bucket' | 'no-key' | 'denied' | 'precondition' | 'conflict' | 'other'
  /** In words that go after a colon. */
  readonly reason: string
  readonly hint: string
}

interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: {readonly httpStatusCode?: number}
  readonly $response?: {readonly statusCode?: number}
}

const credentialsAreBad =
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|TokenRefreshRequired|RequestTimeTooSkewed)$/

/** `bucket` is the one that was asked; `who` asked for it, where that is known. */
export function s3Failure(error: unknown, bucket: string, who?: string): S3Failure {
  const {name = '', message = '', code, $metadata, $response} = error as SdkError
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  const said = message.replace(/\.$/, '')
  if (error instanceof FeatureStoreError)
    return {kind: 'other', reason: said, hint: error.hint ?? 'Check the credentials of AWS.'}
  if (name === 'NoSuchBucket')
    return {
      kind: 'no-bucket',
      reason: `there is no bucket \`${bucket}\``,
      hint: 'Check the name of the bucket, or create it.',
    }
  if (credentialsAreBad.test(name))
    return {
      kind: 'denied',
      reason: `S3 refuses the credentials: ${said === '' ? name : said}`,
      hint: 'Check with `aws sts get-caller-identity`, in the same environment.',
    }
  if (name === 'PreconditionFailed' || status === 412)
    return {kind: 'precondition', reason: 'it has changed in the meantime', hint: 'Run the command again.'}
  if (name === 'ConditionalRequestConflict' || status === 409)
    return {
      kind: 'conflict',
      reason: 'somebody else writes it at this moment',
      hint: 'Run the command again.',
    }
  if (name === 'AccessDenied' || name === 'AllAccessDisabled' || status === 403)
    return {
      kind: 'denied',
      reason: `access is denied${who === undefined ? '' : ` to ${who}`}${/^(access denied|forbidden|unknown.*|)$/i.test(said) ? '' : ` (${said})`}`,
      hint: `Let it s3:ListBucket on the bucket \`${bucket}\`, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it, as far as the command needs them.`,
    }
  if (name === 'NoSuchKey' || name === 'NotFound' || status === 404)
    return {
      kind: 'no-key',
      reason: 'there is no such object',
      hint: 'Check the path: case counts in the keys of S3.',
    }
  const reason = said === '' || /^unknown/i.test(said) ? (code ?? (name === '' ? 'S3 failed' : name)) : said
  return {
    kind: 'other',
    reason,
    hint: isUnreachable(error)
      ? 'Check the network, AWS_REGION, and AWS_ENDPOINT_URL_S3 where it is set.'
      : 'Run the command again; where it stays so, look at what S3 says.',
  }
}

function isUnreachable(error: unknown): boolean {
  const {code, name} = error as SdkError
  return (
    name === 'TimeoutError' ||
    /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH)$/.test(code ?? '')
  )
}
