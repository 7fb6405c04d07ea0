import {FeatureStoreError} from '../../errors.js'

export interface S3Location {
  readonly bucket: string
  readonly key: string
}

/** The parts of `s3://bucket/key`. Throws FS_ARGUMENT_INVALID. */
export function parseS3Location(url: string): S3Location {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(url) ?? []
  if (bucket === undefined || key === undefined)
    throw new FeatureStoreError('FS_ARGUMENT_INVALID', `\`${url}\` is no object of S3.`, {
      hint: 'Write s3://bucket/key.',
    })
  return {bucket, key}
}
