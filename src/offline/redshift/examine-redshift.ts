import type {Examination} from '../../examination.js'
import {callerIdentity} from '../../aws/caller-identity.js'
import {parseS3Location} from '../../aws/s3/s3-location.js'
import {S3Objects} from '../../aws/s3/s3-objects.js'
import type {RedshiftSettings} from './redshift-settings.js'
import type {DataApi} from './data-api.js'
import {runPrefix} from './staging-area.js'
import {WarehouseSession} from './warehouse-session.js'

/** Who asks, whether the warehouse answers, as which user, and whether the staging location can be listed. It changes nothing. */
export async function* examineRedshift(settings: RedshiftSettings, api: DataApi): Examination {
  const who = await callerIdentity(settings)
  yield who === undefined
    ? {
        name: 'credentials',
        status: 'warning',
        detail: 'AWS does not say who asks',
        remedy: 'Check with `aws sts get-caller-identity`, in the same environment.',
      }
    : {name: 'credentials', status: 'ok', detail: who}
  await using session = new WarehouseSession(api)
  const where = settings.connection.ClusterIdentifier ?? settings.connection.WorkgroupName ?? ''
  const [[user, version] = []] = await session.rows('SELECT current_user::varchar, version()::varchar')
  yield {
    name: 'warehouse',
    status: 'ok',
    detail: `${where}, database ${settings.database}, as ${String(user)}; ${String(version).slice(0, 60)}`,
  }
  const place = parseS3Location(`${settings.stagingLocation}/${runPrefix}`)
  if (place === undefined) throw new Error(`${settings.stagingLocation} is no place in S3`)
  await using objects = await S3Objects.open(settings)
  let left = 0
  try {
    for await (const _ of objects.list(place)) left += 1
  } catch (error) {
    const {reason, hint} = await objects.failure(error, place)
    yield {
      name: 'staging',
      status: 'failed',
      detail: `${settings.stagingLocation} can't be listed: ${reason}`,
      remedy: hint,
    }
    return
  }
  yield {
    name: 'staging',
    status: left === 0 ? 'ok' : 'warning',
    detail: `${settings.stagingLocation}, ${left === 0 ? 'nothing was left there' : `${left} objects of runs, which may run now`}`,
    ...(left === 0 ? {} : {remedy: 'Run `fs cleanup`.'}),
  }
}
