/** What every client of AWS is made with here. */
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
  readonly credentials: () => Promise<AwsCredentials>
  /** Answers of throttling and of failing servers are waited out by the SDK, with jitter. */
  readonly retryMode: 'standard'
  readonly maxAttempts: number
}

/** Credentials are asked for when the first request is sent. */
export function awsClientSettings(identity: AwsIdentity): AwsClientSettings {
  const clock = (): bigint => BigInt(Date.now()) * 1000n
  return {
    region: identity.region,
    credentials: awsCredentials({...identity, clock}),
    retryMode: 'standard',
    maxAttempts: 8,
  }
}

/** S3 behind an endpoint of one's own has no host for each bucket. */
export function s3PathStyle(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment['AWS_ENDPOINT_URL_S3'] !== undefined || environment['AWS_ENDPOINT_URL'] !== undefined
}
