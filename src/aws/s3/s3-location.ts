/** Where objects lie in S3. */
export interface S3Location {
  readonly bucket: string
  /** Without a slash in front; empty for the whole bucket. */
  readonly key: string
}

export interface S3Object extends S3Location {
  readonly etag: string
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970, by the clock of S3, to the second. */
  readonly modifiedMillis: number
}

/** An upload in parts that was begun and has not ended: its parts are paid for, and no listing of objects shows them. */
export interface S3Upload extends S3Location {
  readonly uploadId: string
  /** As `modifiedMillis` of an object. */
  readonly begunMillis: number
}

/** What `s3://bucket/key` names; undefined for anything else. Keys are taken as they stand, nothing is unescaped. */
export function parseS3Location(text: string): S3Location | undefined {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(text) ?? []
  return bucket === undefined ? undefined : {bucket, key}
}

export function isS3Location(text: string): boolean {
  return /^s3:\/\//i.test(text)
}

export function formatS3Location({bucket, key}: S3Location): string {
  return `s3://${bucket}/${key}`
}
