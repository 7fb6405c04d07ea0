import {formatS3Location, type S3Location} from '../../aws/s3/s3-location.js'
import type {S3Objects} from '../../aws/s3/s3-objects.js'
import {FeatureStoreError} from '../../errors.js'

/** What a failure of S3 means for what the warehouse and this machine exchange. */
export async function stagingFailure(
  error: unknown,
  objects: S3Objects,
  place: S3Location,
): Promise<FeatureStoreError> {
  if (error instanceof FeatureStoreError) return error
  const {reason, hint} = await objects.failure(error, place)
  return new FeatureStoreError(
    'FS_STORE_UNAVAILABLE',
    `What Redshift and this machine exchange, ${formatS3Location(place)}: ${reason}.`,
    {hint, cause: error},
  )
}
