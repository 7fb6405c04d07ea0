import {quoteText} from '../../compile/dialects/redshift-names.js'
import type {RedshiftSettings} from './redshift-settings.js'

/** As whom Redshift reads and writes S3 and the catalog: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html */
export function iamRoleClause({iamRole}: RedshiftSettings): string {
  return iamRole.toLowerCase() === 'default' ? 'IAM_ROLE default' : `IAM_ROLE ${quoteText(iamRole)}`
}
