import {parseS3Location, type S3Object} from '../../aws/s3/s3-location.js'
import {S3Objects} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import type {LeftBehind} from '../offline-store.js'
import type {RedshiftSettings} from './redshift-settings.js'
import {runPrefix} from './staging-area.js'
import {stagingFailure} from './staging-failure.js'

/** Removes prefixes of runs whose newest object was written by then; a run that goes on writes at least when it begins. */
export async function cleanUpStaging(
  settings: RedshiftSettings,
  writtenBy: Instant,
  {dryRun}: {readonly dryRun: boolean},
): Promise<LeftBehind> {
  const location = settings.stagingLocation
  const place = parseS3Location(`${location}/${runPrefix}`)
  if (place === undefined) throw new Error(`${location} is no place in S3`)
  await using objects = await S3Objects.open(settings)
  try {
    const runs = new Map<string, S3Object[]>()
    for await (const object of objects.list(place)) {
      const run = object.key.slice(place.key.length).split('/', 1)[0] ?? ''
      runs.set(run, [...(runs.get(run) ?? []), object])
    }
    const ended = [...runs.values()].filter((all) =>
      all.every(({modifiedMillis}) => BigInt(modifiedMillis) * 1000n <= writtenBy),
    )
    const all = ended.flat()
    if (!dryRun) for (const object of all) await objects.delete(object)
    return {
      location,
      runs: ended.length,
      objects: all.length,
      bytes: all.reduce((sum, {size}) => sum + size, 0),
    }
  } catch (error) {
    throw await stagingFailure(error, objects, place)
  }
}
