import {randomUUID} from 'node:crypto'
import {rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import {FeatureStoreError} from '../../errors.js'
import {s3Region} from '../client-settings.js'
import {parseS3Location} from './s3-location.js'
import {S3Objects} from './s3-objects.js'

/**
 * Lets `write` make a file among the system's temporary files, and uploads it when it is whole. On any failure nothing is
 * left of it, and what was under that key before stays. Throws FS_OUTPUT_FAILED where it can't be put there; what can be
 * known of that is known before the work begins.
 */
export async function writeToS3<T>(location: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const place = parseS3Location(location)
  if (place === undefined || place.key === '' || place.key.endsWith('/'))
    throw outputFailed(location, 'it names no object', 'Name one as s3://bucket/folder/frame.parquet.')
  await using objects = await S3Objects.open({region: s3Region()})
  const told = async (error: unknown): Promise<FeatureStoreError> => {
    const {reason, hint} = await objects.failure(error, place)
    return outputFailed(location, reason, hint, error)
  }
  // A bucket that is not there, or credentials that can't be had, are told before an hour of work.
  await objects.head(place).catch(async (error: unknown) => {
    // Who may write need not be one who may read.
    const failure = await objects.failure(error, place)
    if (failure.kind !== 'denied' || error instanceof FeatureStoreError) throw await told(error)
  })
  const temporary = join(tmpdir(), `fs-${randomUUID()}-${basename(place.key)}`)
  try {
    const result = await write(temporary)
    try {
      await objects.upload(place, temporary)
    } catch (error) {
      throw await told(error)
    }
    return result
  } finally {
    await rm(temporary, {force: true})
  }
}

function outputFailed(location: string, reason: string, hint: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_OUTPUT_FAILED', `${location} can't be written: ${reason}.`, {hint, cause})
}
