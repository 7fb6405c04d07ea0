/**
 * Credentials of AWS from where its own tools find them: variables, profiles, SSO, the role of a container or of a
 * machine; on request those of a role, perhaps of another account.
 */
import {FeatureStoreError} from '../errors.js'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** With credentials that expire. */
  readonly sessionToken?: string
}

export interface AwsCredentialsOptions {
  readonly region: string
  /** A role to assume with what is found. */
  readonly roleArn?: string
  /** What the role's account asks of strangers: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html */
  readonly externalId?: string
  /** Epoch microseconds. */
  readonly clock: () => bigint
  /** The longest that getting credentials may take. */
  readonly patienceMillis?: number
}

type Identity = AwsCredentials & {readonly expiration?: Date}

const defaultPatienceMillis = 10_000
/** Credentials are renewed this long before they expire: time enough to log in, and to try again. */
const renewBeforeMillis = 5 * 60_000

/**
 * Asks once and then again when the end of what it has is near; callers at once share one request. Throws
 * FS_STORE_UNAVAILABLE, in bounded time, unless what it has is still valid.
 */
export function awsCredentials(options: AwsCredentialsOptions): () => Promise<AwsCredentials> {
  const {clock, patienceMillis = defaultPatienceMillis} = options
  let known: Identity | undefined
  let asking: Promise<Identity> | undefined
  let source: Promise<() => Promise<Identity>> | undefined

  const millisLeft = (): number =>
    known === undefined ? -1 : (known.expiration?.getTime() ?? Infinity) - Number(clock() / 1000n)

  const ask = async (): Promise<Identity> => {
    source ??= openSource(options)
    try {
      return (known = await within(patienceMillis, (await source)()))
    } catch (error) {
      // The SDK would have later callers wait for the very request that was given up here.
      source = undefined
      throw error
    }
  }

  return async () => {
    if (known !== undefined && millisLeft() > renewBeforeMillis) return known
    asking ??= ask().finally(() => (asking = undefined))
    try {
      return await asking
    } catch (error) {
      if (known !== undefined && millisLeft() > 0) return known
      throw unavailable(error, options)
    }
  }
}

/** Loads the SDK of AWS only when it is needed: it takes longer than all the rest of a start. */
async function openSource({
  region,
  roleArn,
  externalId,
}: AwsCredentialsOptions): Promise<() => Promise<Identity>> {
  const {fromNodeProviderChain, fromTemporaryCredentials} = await import('@aws-sdk/credential-providers')
  const found = fromNodeProviderChain({clientConfig: {region}})
  if (roleArn === undefined) return found
  return fromTemporaryCredentials({
    masterCredentials: found,
    clientConfig: {region},
    params: {
      RoleArn: roleArn,
      RoleSessionName: 'feature-repo',
      ...(externalId === undefined ? {} : {ExternalId: externalId}),
    },
  })
}

/** A machine's or a container's own endpoint, or STS, may accept a request and never answer it. */
async function within<T>(millis: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${millis / 1000} s`)), millis)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function unavailable(cause: unknown, {roleArn}: AwsCredentialsOptions): FeatureStoreError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.?$/, '.')
  return roleArn === undefined
    ? new FeatureStoreError('FS_STORE_UNAVAILABLE', `Credentials of AWS can't be had: ${reason}`, {
        hint: 'Check with `aws sts get-caller-identity`, in the same environment.',
        cause,
      })
    : new FeatureStoreError('FS_STORE_UNAVAILABLE', `The role ${roleArn} can't be assumed: ${reason}`, {
        hint: 'Check `role_arn` and `external_id` in feature_store.yaml, and whom the role trusts.',
        cause,
      })
}
