/** What every client of AWS is made with here. */
import {FeatureStoreError} from '../errors.js'
import {awsCredentials, type AwsCredentials} from './credentials.js'

/** Where and as whom. Without a role: as whoever the environment says. */
export interface AwsIdentity {
  readonly region: string
  /** A role to assume, perhaps of another account. */
  readonly roleArn?: string
  readonly externalId?: string
}

/** What the clients of the SDK take; an endpoint from `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_<SERVICE>` they find themselves. */
export interface AwsClientSettings {
  readonly region: string
  readonly credentials: () => Promise<Omit<AwsCredentials, 'sessionToken'> & {readonly sessionToken?: string}>
  /** Answers of throttling and of failing servers are waited out by the SDK, with jitter. */
  readonly retryMode: 'standard'
  readonly maxAttempts: number
  /** Without it a service that takes a request and never answers would be waited for without end. */
  readonly requestHandler: {
    readonly connectionTimeout: number
    readonly requestTimeout: number
    readonly throwOnRequestTimeout: true
  }
}

const connectMillis = 5000
/** Until an answer begins; none of the services is asked for what takes long. */
const answerMillis = 10_000

/** Epoch microseconds, by the clock of this machine: what signatures and credentials go by. */
export function machineClock(): bigint {
  return BigInt(Date.now()) * 1000n
}

/** Credentials are asked for when the first request is sent. */
export function awsClientSettings(identity: AwsIdentity): AwsClientSettings {
  const ask = awsCredentials({...identity, clock: machineClock})
  return {
    region: identity.region,
    credentials: async () => {
      const {sessionToken, ...keys} = await ask()
      return {...keys, ...(sessionToken === undefined ? {} : {sessionToken})}
    },
    retryMode: 'standard',
    maxAttempts: 8,
    requestHandler: {
      connectionTimeout: connectMillis,
      requestTimeout: answerMillis,
      throwOnRequestTimeout: true,
    },
  }
}

/** S3 behind an endpoint of one's own has no host for each bucket. */
export function s3PathStyle(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment['AWS_ENDPOINT_URL_S3'] !== undefined || environment['AWS_ENDPOINT_URL'] !== undefined
}

/** The region that AWS's own variables name. Throws FS_STORE_UNAVAILABLE where they name none. */
export function environmentRegion(environment: NodeJS.ProcessEnv = process.env): string {
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? ''
  if (region !== '') return region
  throw new FeatureStoreError('FS_STORE_UNAVAILABLE', 'No region of AWS is set.', {
    hint: 'Set AWS_REGION to the region of the Glue catalog, such as eu-west-1.',
  })
}

/** The region to ask S3 in where none is configured: its answer names the bucket's own, and its client goes there. */
export function s3Region(environment: NodeJS.ProcessEnv = process.env): string {
  return environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1'
}

/** An endpoint of S3 that is not AWS's own, as the variables name it: a URL. */
export function s3Endpoint(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL']
}
