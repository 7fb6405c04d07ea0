import {parseS3Location, type S3Location, type S3Object, type S3Upload} from '../../aws/s3/s3-location.js'
import {S3Objects} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import type {LeftBehind} from '../offline-store.js'
import type {RedshiftSettings} from './redshift-settings.js'
import {runPrefix} from './staging-area.js'
import {stagingFailure} from './staging-failure.js'

/** What lies under the prefix of one run. */
interface StagedRun {
  readonly objects: S3Object[]
  readonly uploads: S3Upload[]
}

/**
 * Removes prefixes of runs whose newest object or upload was begun by then; a run that goes on writes at least when it
 * begins.
 */
export async function cleanUpStaging(
  settings: RedshiftSettings,
  writtenBy: Instant,
  {dryRun}: {readonly dryRun: boolean},
): Promise<LeftBehind> {
  const location = settings.stagingLocation
  const place = parseS3Location(`${location}/${runPrefix}`)
  if (place === undefined) throw new Error(`${location} is no place in S3`)
  await using staging = await S3Objects.open(settings)
  try {
    const ended = (await listRuns(staging, place)).filter((run) => newestMillis(run) * 1000n <= writtenBy)
    const objects = ended.flatMap((run) => run.objects)
    const uploads = ended.flatMap((run) => run.uploads)
    if (!dryRun) {
      for (const object of objects) await staging.delete(object)
      for (const upload of uploads) await staging.abortUpload(upload)
    }
    return {
      location,
      runs: ended.length,
      objects: objects.length,
      uploads: uploads.length,
      bytes: objects.reduce((sum, {size}) => sum + size, 0),
    }
  } catch (error) {
    throw await stagingFailure(error, staging, place)
  }
}

async function listRuns(staging: S3Objects, place: S3Location): Promise<readonly StagedRun[]> {
  const runs = new Map<string, StagedRun>()
  const runOf = ({key}: S3Location): StagedRun => {
    const name = key.slice(place.key.length).split('/', 1)[0] ?? ''
    const known = runs.get(name)
    if (known !== undefined) return known
    const run = {objects: [], uploads: []}
    runs.set(name, run)
    return run
  }
  for await (const object of staging.list(place)) runOf(object).objects.push(object)
  for await (const upload of staging.listUploads(place)) runOf(upload).uploads.push(upload)
  return [...runs.values()]
}

function newestMillis({objects, uploads}: StagedRun): bigint {
  const times = [
    ...objects.map(({modifiedMillis}) => modifiedMillis),
    ...uploads.map(({begunMillis}) => begunMillis),
  ]
  return BigInt(times.reduce((newest, time) => Math.max(newest, time), 0))
}
