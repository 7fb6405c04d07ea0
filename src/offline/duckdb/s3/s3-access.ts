import {awsClientSettings, type AwsIdentity} from '../../../aws/client-settings.js'
import {S3Objects} from '../../../aws/s3/s3-objects.js'

/** Calls of S3 as one identity, and what the engine must know to make some itself. */
export class S3Access implements AsyncDisposable {
  /** As they are now; renewed before they expire. */
  readonly credentials
  readonly #identity: AwsIdentity
  readonly #regions = new Map<string, Promise<string | undefined>>()
  #objects: Promise<S3Objects> | undefined

  constructor(identity: AwsIdentity) {
    this.#identity = identity
    this.credentials = awsClientSettings(identity).credentials
  }

  objects(): Promise<S3Objects> {
    return (this.#objects ??= S3Objects.open(this.#identity))
  }

  /** The region of a bucket, asked for once; that of the environment where it can't be had. */
  async regionOf(bucket: string): Promise<string> {
    const asked = this.#regions.get(bucket) ?? this.objects().then((objects) => objects.regionOf(bucket))
    this.#regions.set(bucket, asked)
    return (await asked) ?? this.#identity.region
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#objects?.catch(() => undefined))?.[Symbol.asyncDispose]()
  }
}
