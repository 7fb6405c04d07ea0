/** Objects of S3 by their URLs, in bounded memory. */
import {createReadStream, createWriteStream} from 'node:fs'
import {stat} from 'node:fs/promises'
import type {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import type {S3Client} from '@aws-sdk/client-s3'
import {FeatureStoreError} from '../../errors.js'
import {patiently} from '../../patiently.js'
import {awsClientSettings, s3PathStyle, type AwsIdentity} from '../client-settings.js'
import {parseS3Location} from './s3-location.js'

/** Of one request to delete: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const deletedAtOnce = 1000

/** How long an upload is begun again. */
const uploadMillis = 60_000

type Sdk = typeof import('@aws-sdk/client-s3')

/** Asks nothing yet. */
export async function openS3(identity: AwsIdentity): Promise<S3Objects> {
  const sdk = await import('@aws-sdk/client-s3')
  return new S3Objects(sdk, new sdk.S3Client({...awsClientSettings(identity), forcePathStyle: s3PathStyle()}))
}

/** Every method throws FS_STORE_UNAVAILABLE, naming what was asked for. */
export class S3Objects implements AsyncDisposable {
  readonly #sdk: Sdk
  readonly #client: S3Client

  constructor(sdk: Sdk, client: S3Client) {
    this.#sdk = sdk
    this.#client = client
  }

  /** The whole object; for small ones. */
  async get(url: string): Promise<Uint8Array> {
    return told(url, 'read', async () => {
      const {Body} = await this.#client.send(new this.#sdk.GetObjectCommand(objectOf(url)))
      return (await Body?.transformToByteArray()) ?? new Uint8Array()
    })
  }

  async download(url: string, path: string): Promise<void> {
    await told(url, 'read', async () => {
      const {Body, ContentLength} = await this.#client.send(new this.#sdk.GetObjectCommand(objectOf(url)))
      await pipeline(Body as Readable, createWriteStream(path))
      const {size} = await stat(path)
      if (ContentLength !== undefined && size !== ContentLength)
        throw new Error(`${size} of ${ContentLength} bytes came`)
    })
  }

  /** A file of 5 GB at most, as one object. */
  async upload(path: string, url: string): Promise<void> {
    await told(url, 'written', async () => {
      const {size} = await stat(path)
      // The SDK can't send a stream again.
      await patiently(
        () =>
          this.#client.send(
            new this.#sdk.PutObjectCommand({
              ...objectOf(url),
              Body: createReadStream(path),
              ContentLength: size,
            }),
          ),
        {millis: uploadMillis, mayPass},
      )
    })
  }

  /** URLs of all objects that begin like this. */
  async list(prefix: string): Promise<readonly string[]> {
    return told(prefix, 'listed', async () => {
      const {bucket, key} = parseS3Location(prefix)
      const pages = this.#sdk.paginateListObjectsV2({client: this.#client}, {Bucket: bucket, Prefix: key})
      const urls: string[] = []
      for await (const {Contents = []} of pages)
        urls.push(...Contents.map((object) => `s3://${bucket}/${object.Key ?? ''}`))
      return urls
    })
  }

  /** Objects of one bucket; what is not there is no error. */
  async delete(urls: readonly string[]): Promise<void> {
    for (let start = 0; start < urls.length; start += deletedAtOnce) {
      const part = urls.slice(start, start + deletedAtOnce).map(parseS3Location)
      await told(urls[start] ?? '', 'deleted', async () => {
        const {Errors = []} = await this.#client.send(
          new this.#sdk.DeleteObjectsCommand({
            Bucket: part[0]?.bucket,
            Delete: {Objects: part.map(({key}) => ({Key: key})), Quiet: true},
          }),
        )
        if (Errors.length > 0) throw new Error(`${Errors[0]?.Key ?? ''}: ${Errors[0]?.Message ?? ''}`)
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }
}

/** What the service or the network may not say the next time. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const {$metadata} = error as {readonly $metadata?: {readonly httpStatusCode?: number}}
  const status = $metadata?.httpStatusCode
  return status === undefined || status === 429 || status >= 500
}

function objectOf(url: string): {readonly Bucket: string; readonly Key: string} {
  const {bucket, key} = parseS3Location(url)
  return {Bucket: bucket, Key: key}
}

async function told<T>(url: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof FeatureStoreError) throw error
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `${url} can't be ${verb}: ${error.name === 'Error' ? '' : `${error.name}: `}${error.message.replace(/\.?$/, '.')}`,
      {hint: hintOf(error), cause: error},
    )
  }
}

function hintOf(error: Error): string {
  switch (error.name) {
    case 'AccessDenied':
      return 'Allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there to who runs this; `fs doctor` says who that is.'
    case 'NoSuchBucket':
      return 'Check the name of the bucket, and the account.'
    default:
      return 'Check the location, the region and the network.'
  }
}
