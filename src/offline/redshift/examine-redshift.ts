import {parseS3Location} from '../../aws/s3/s3-location.js'
import {S3Objects} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import {clockFinding, millisOf, type Examination, type Finding} from '../../examination.js'
import {credentialsFinding} from '../../examine-credentials.js'
import type {DataApi} from './data-api.js'
import type {RedshiftSettings} from './redshift-settings.js'
import {runPrefix, StagingArea} from './staging-area.js'
import {WarehouseSession} from './warehouse-session.js'

/**
 * Who asks; whether the warehouse answers, as which user, and by which clock; whether the staging location can be listed, and
 * whether rows pass through it in both directions. It leaves nothing behind. Throws FS_STORE_UNAVAILABLE.
 */
export async function* examineRedshift(
  settings: RedshiftSettings,
  api: DataApi,
  clock: () => Instant,
): Examination {
  yield await credentialsFinding(settings)
  await using session = new WarehouseSession(api)
  yield await warehouse(session)
  yield await clockOf(session, clock)
  const staging = await stagingLocation(settings)
  yield staging
  if (staging.status !== 'failed') yield await transfer(settings, session)
}

async function warehouse(session: WarehouseSession): Promise<Finding> {
  const {connection, database} = session.settings
  const where = connection.ClusterIdentifier ?? connection.WorkgroupName ?? ''
  const [[user, version] = []] = await session.rows('SELECT current_user::varchar, version()::varchar')
  const detail = `${where}, database ${database}, as ${String(user)}; ${String(version).slice(0, 60)}`
  return {name: 'warehouse', status: 'ok', detail}
}

async function clockOf(session: WarehouseSession, clock: () => Instant): Promise<Finding> {
  const asked = millisOf(clock())
  const [[millis] = []] = await session.rows(
    "SELECT DATEDIFF(millisecond, TIMESTAMP '1970-01-01 00:00:00', SYSDATE)::varchar",
  )
  return clockFinding(Number(millis), [asked, millisOf(clock())])
}

async function stagingLocation(settings: RedshiftSettings): Promise<Finding> {
  const place = parseS3Location(`${settings.stagingLocation}/${runPrefix}`)
  if (place === undefined) throw new Error(`${settings.stagingLocation} is no place in S3`)
  await using objects = await S3Objects.open(settings)
  let left = 0
  try {
    for await (const _ of objects.list(place)) left += 1
  } catch (error) {
    const {reason, hint} = await objects.failure(error, place)
    const detail = `${settings.stagingLocation} can't be listed: ${reason}`
    return {name: 'staging', status: 'failed', detail, remedy: hint}
  }
  if (left === 0)
    return {name: 'staging', status: 'ok', detail: `${settings.stagingLocation}, nothing was left there`}
  return {
    name: 'staging',
    status: 'warning',
    detail: `${settings.stagingLocation}, ${left === 1 ? '1 object' : `${left} objects`} of runs, which may run now`,
    remedy: 'Run `fs cleanup`, which removes what is older than a day.',
  }
}

/** One row goes the way of all: UNLOAD, to this machine, back to S3, COPY. Each of the rights is needed for one step. */
async function transfer(settings: RedshiftSettings, session: WarehouseSession): Promise<Finding> {
  await using area = await StagingArea.open(settings)
  try {
    await session.transaction(async () => {
      const parts = await area.unload(session, 'SELECT 1::bigint AS row_number', 'any')
      const [path] = await area.fetchAll(parts)
      if (path === undefined) throw new Error('UNLOAD of one row wrote no part')
      await session.run('CREATE TEMP TABLE fs_doctor (row_number bigint)')
      await area.load(session, path, 'fs_doctor')
    })
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error
    const {message, hint} = error
    return {
      name: 'transfer',
      status: 'failed',
      detail: message,
      remedy:
        hint ?? 'Let `iam_role` read and write the staging location, and this user make temporary tables.',
    }
  }
  return {name: 'transfer', status: 'ok', detail: `UNLOAD and COPY by ${settings.iamRole}, and back`}
}
