import type {Examination} from '../../examination.js'
import {openS3} from '../../aws/s3/s3-objects.js'
import type {RedshiftSettings} from './redshift-settings.js'
import type {DataApi} from './data-api.js'
import {WarehouseSession} from './warehouse-session.js'

/** Whether the warehouse answers, as whom, and whether the staging location can be listed. It changes nothing. */
export async function* examineRedshift(settings: RedshiftSettings, api: DataApi): Examination {
  await using session = new WarehouseSession(api)
  const where = settings.connection.ClusterIdentifier ?? settings.connection.WorkgroupName ?? ''
  const [[user, version] = []] = await session.rows('SELECT current_user::varchar, version()::varchar')
  yield {
    name: 'warehouse',
    status: 'ok',
    detail: `${where}, database ${settings.database}, as ${String(user)}; ${String(version).slice(0, 60)}`,
  }
  await using objects = await openS3(settings)
  const left = await objects.list(`${settings.stagingLocation}/fs-run-`)
  yield {
    name: 'staging',
    status: left.length === 0 ? 'ok' : 'warning',
    detail: `${settings.stagingLocation}, ${left.length === 0 ? 'nothing was left there' : `${left.length} objects of runs`}`,
    ...(left.length === 0 ? {} : {remedy: 'Remove what no running job needs.'}),
  }
}
