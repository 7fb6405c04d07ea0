import {FeatureStoreError} from '../../errors.js'
import {s3Region} from '../client-settings.js'
import {parseS3Location} from './s3-location.js'
import {S3Objects} from './s3-objects.js'

/** Streams a file of entity rows from S3 into a file that is not there yet. Throws FS_ENTITY_ROWS_INVALID where it can't be had. */
export async function fetchObject(location: string, file: string, signal: AbortSignal): Promise<void> {
  const place = parseS3Location(location)
  const unreadable = (reason: string, hint: string, cause?: unknown): FeatureStoreError =>
    new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `The file of entity rows ${location} can't be read: ${reason}.`,
      {hint, cause},
    )
  if (place === undefined || place.key === '')
    throw unreadable('it names no object', 'Name one as s3://bucket/folder/entities.parquet.')
  await using objects = await S3Objects.open({region: s3Region()})
  try {
    const object = await objects.head(place)
    if (object === undefined)
      throw unreadable('there is no such object', 'Check the path: case counts in the keys of S3.')
    await objects.download(object, file, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof FeatureStoreError && error.code === 'FS_ENTITY_ROWS_INVALID') throw error
    const {reason, hint} = await objects.failure(error, place)
    throw unreadable(reason, hint, error)
  }
}
