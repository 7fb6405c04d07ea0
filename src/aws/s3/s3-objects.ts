import {createWriteStream} from 'node:fs'
import {open, readFile, rm, stat} from 'node:fs/promises'
import {pipeline} from 'node:stream/promises'
import type {
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
  S3Client,
} from '@aws-sdk/client-s3'
import {callerIdentity} from '../caller-identity.js'
import {awsClientSettings, s3PathStyle, type AwsIdentity} from '../client-settings.js'
import {readBody} from './read-body.js'
import {s3Failure, type S3Failure} from './s3-failure.js'
import type {S3Location, S3Object, S3Upload} from './s3-location.js'

/** On what a write depends: that nothing is there, or what is there still has an ETag. */
export type S3Condition = 'absent' | {readonly etag: string}

/** Of silence, before an answer and within its body; not of a whole download. */
const silenceMillis = 20_000
/**
 * Parts of an upload, each of which must get there before S3 answers: 5 MiB at least, and 10,000 of them make the largest
 * object of 5 TiB only when they grow.
 */
const partBytes = 8 * 2 ** 20
const mostParts = 10_000

type Sdk = typeof import('@aws-sdk/client-s3')

/**
 * Objects of S3, as a few calls. Loads the SDK when it is opened. What fails is the SDK's own error; `failure` tells what
 * it means. Answers of throttling, of failing servers and lost connections were waited out by then: so a write may have
 * been sent more than once.
 */
export class S3Objects implements AsyncDisposable {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #identity: AwsIdentity

  private constructor(sdk: Sdk, identity: AwsIdentity, mostSilenceMillis: number) {
    this.#sdk = sdk
    this.#identity = identity
    const settings = awsClientSettings(identity)
    this.#client = new sdk.S3Client({
      ...settings,
      forcePathStyle: s3PathStyle(),
      // Any region's endpoint tells where a bucket is.
      followRegionRedirects: true,
      requestHandler: {
        ...settings.requestHandler,
        // Ends with the headers of an answer; `socketTimeout` goes on through its body.
        requestTimeout: mostSilenceMillis,
        socketTimeout: mostSilenceMillis,
      },
    })
  }

  /** After `mostSilenceMillis` in which nothing is heard of S3, a request or the body of an answer fails. */
  static async open(
    identity: AwsIdentity,
    {mostSilenceMillis = silenceMillis}: {readonly mostSilenceMillis?: number} = {},
  ): Promise<S3Objects> {
    return new S3Objects(await import('@aws-sdk/client-s3'), identity, mostSilenceMillis)
  }

  /** What a failure means; of a refusal also whom S3 took this process for. */
  async failure(error: unknown, {bucket}: S3Location): Promise<S3Failure> {
    const failure = s3Failure(error, bucket)
    return failure.kind === 'denied'
      ? s3Failure(error, bucket, await callerIdentity(this.#identity))
      : failure
  }

  /** A small object as text, with its user metadata. Throws a RangeError beyond `mostBytes`. */
  async getText(
    {bucket, key}: S3Location,
    mostBytes: number,
  ): Promise<{
    readonly text: string
    readonly etag: string
    readonly metadata: Readonly<Record<string, string>>
  }> {
    return readBody(
      () => this.#client.send(new this.#sdk.GetObjectCommand({Bucket: bucket, Key: key})),
      async (body, {ETag, Metadata}) => {
        const chunks: Uint8Array[] = []
        let size = 0
        for await (const chunk of body) {
          size += chunk.length
          if (size > mostBytes) throw new RangeError(`it has more than ${mostBytes} bytes`)
          chunks.push(chunk)
        }
        const text = Buffer.concat(chunks).toString('utf8')
        return {text, etag: ETag as string, metadata: Metadata ?? {}}
      },
    )
  }

  /** Streams an object, while it is still what its ETag says, into a file that is not there yet. */
  async download({bucket, key, etag}: S3Object, file: string, signal?: AbortSignal): Promise<void> {
    const abort = signal === undefined ? {} : {signal}
    let isPartThere = false
    await readBody(
      async () => {
        if (isPartThere) await rm(file)
        isPartThere = false
        return this.#client.send(
          new this.#sdk.GetObjectCommand({Bucket: bucket, Key: key, IfMatch: etag}),
          signal === undefined ? {} : {abortSignal: signal},
        )
      },
      (body) => {
        const target = createWriteStream(file, {flags: 'wx'}).once('open', () => (isPartThere = true))
        return pipeline(body, target, abort)
      },
      abort,
    )
  }

  /** Puts a small object; returns its ETag. A condition that does not hold fails with 412, or 404 where nothing is. */
  async putText(
    {bucket, key}: S3Location,
    text: string,
    options: {readonly condition?: S3Condition; readonly metadata?: Readonly<Record<string, string>>} = {},
  ): Promise<string> {
    const {condition, metadata} = options
    const {ETag} = await this.#client.send(
      new this.#sdk.PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: text,
        ContentType: 'application/json',
        ...(metadata === undefined ? {} : {Metadata: {...metadata}}),
        ...(condition === undefined
          ? {}
          : condition === 'absent'
            ? {IfNoneMatch: '*'}
            : {IfMatch: condition.etag}),
      }),
    )
    return ETag as string
  }

  /** Uploads a file. Nothing is seen under the key before all of it is there; a failed upload leaves no parts. */
  async upload({bucket, key}: S3Location, file: string): Promise<void> {
    const {size} = await stat(file)
    if (size <= partBytes) {
      // In memory, so that the SDK can send it again.
      const Body = await readFile(file)
      await this.#client.send(new this.#sdk.PutObjectCommand({Bucket: bucket, Key: key, Body}))
      return
    }
    await this.#uploadParts({bucket, key}, file, size)
  }

  /** One object; undefined where there is none. */
  async head(location: S3Location): Promise<S3Object | undefined> {
    try {
      const {ETag, ContentLength, LastModified} = await this.#client.send(
        new this.#sdk.HeadObjectCommand({Bucket: location.bucket, Key: location.key}),
      )
      return {
        ...location,
        etag: ETag as string,
        size: ContentLength as number,
        modifiedMillis: (LastModified as Date).getTime(),
      }
    } catch (error) {
      if (s3Failure(error, location.bucket).kind === 'no-key') return undefined
      throw error
    }
  }

  /** The region of a bucket; undefined where it can't be had. */
  async regionOf(bucket: string): Promise<string | undefined> {
    const head = this.#client.send(new this.#sdk.HeadBucketCommand({Bucket: bucket}))
    return head.then(
      ({BucketRegion}) => BucketRegion,
      () => undefined,
    )
  }

  /** All objects whose keys begin so, in the order of their keys. */
  async *list({bucket, key}: S3Location): AsyncGenerator<S3Object, void, undefined> {
    const pages = this.#sdk.paginateListObjectsV2({client: this.#client}, {Bucket: bucket, Prefix: key})
    for await (const {Contents = []} of pages)
      for (const {Key, ETag, Size, LastModified} of Contents)
        yield {
          bucket,
          key: Key as string,
          etag: ETag as string,
          size: Size as number,
          modifiedMillis: (LastModified as Date).getTime(),
        }
  }

  /** All uploads in parts that have not ended and whose keys begin so. */
  async *listUploads({bucket, key}: S3Location): AsyncGenerator<S3Upload, void, undefined> {
    let next: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {}
    while (next !== undefined) {
      const {Uploads, IsTruncated, NextKeyMarker, NextUploadIdMarker}: ListMultipartUploadsCommandOutput =
        await this.#client.send(
          new this.#sdk.ListMultipartUploadsCommand({Bucket: bucket, Prefix: key, ...next}),
        )
      for (const {Key, UploadId, Initiated} of Uploads ?? [])
        yield {
          bucket,
          key: Key as string,
          uploadId: UploadId as string,
          begunMillis: (Initiated as Date).getTime(),
        }
      next = IsTruncated === true ? {KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker} : undefined
    }
  }

  /** Removes the parts of an upload. One that has ended in the meantime stays as it ended. */
  async abortUpload({bucket, key, uploadId}: S3Upload): Promise<void> {
    const command = new this.#sdk.AbortMultipartUploadCommand({Bucket: bucket, Key: key, UploadId: uploadId})
    await this.#client.send(command).catch((error: unknown) => {
      if ((error as Error).name !== 'NoSuchUpload') throw error
    })
  }

  /** May be repeated. With an ETag, only while the object has it: else 412. */
  async delete({bucket, key}: S3Location, etag?: string): Promise<void> {
    const condition = etag === undefined ? {} : {IfMatch: etag}
    await this.#client.send(new this.#sdk.DeleteObjectCommand({Bucket: bucket, Key: key, ...condition}))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  async #uploadParts({bucket, key}: S3Location, file: string, size: number): Promise<void> {
    const target = {Bucket: bucket, Key: key}
    const length = Math.max(partBytes, Math.ceil(size / mostParts))
    const {UploadId} = await this.#client.send(new this.#sdk.CreateMultipartUploadCommand(target))
    const upload = {...target, UploadId: UploadId as string}
    try {
      const parts: {PartNumber: number; ETag: string}[] = []
      await using source = await open(file)
      const buffer = Buffer.allocUnsafe(length)
      for (let at = 0; at < size; at += length) {
        const {bytesRead} = await source.read(buffer, 0, Math.min(length, size - at), at)
        const PartNumber = parts.length + 1
        const Body = buffer.subarray(0, bytesRead)
        const {ETag} = await this.#client.send(new this.#sdk.UploadPartCommand({...upload, PartNumber, Body}))
        parts.push({PartNumber, ETag: ETag as string})
      }
      const MultipartUpload = {Parts: parts}
      await this.#client.send(new this.#sdk.CompleteMultipartUploadCommand({...upload, MultipartUpload}))
    } catch (error) {
      await this.#client
        .send(new this.#sdk.AbortMultipartUploadCommand(upload))
        // What could not be aborted is removed by a lifecycle rule of the bucket; the first failure is the one to tell.
        .catch(() => undefined)
      throw error
    }
  }
}
