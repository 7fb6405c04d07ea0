/** Tables of the Glue Data Catalog as Redshift Spectrum reads them: through a schema of the warehouse that stands for a database of the catalog. */
import {quoteName, quoteText} from '../../compile/dialects/redshift-names.js'
import type {GlueSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import {iamRoleClause} from './iam-role.js'
import type {WarehouseSession} from './warehouse-session.js'

/**
 * The table of a source, as a statement names it. Throws FS_CONFIG_INVALID where `external_schema` names no schema, or one
 * that stands for another database of the catalog, and FS_SOURCE_UNREADABLE where there is none of that name.
 */
export async function externalTable(session: WarehouseSession, source: GlueSource): Promise<string> {
  const {externalSchema: schema} = session.settings
  if (schema === undefined)
    throw new FeatureStoreError(
      'FS_CONFIG_INVALID',
      `Data source \`${source.name}\` is a table of the Glue Data Catalog, which Redshift reads through an external schema, and \`offline_store.external_schema\` names none.`,
      {
        hint: `Set it to the name of a schema that was made by: ${createExternalSchema('lake', session, source)}`,
      },
    )
  const name = schema.toLowerCase()
  // https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_SCHEMAS.html
  const [found] = await session.rows(
    `SELECT databasename::varchar FROM svv_external_schemas WHERE schemaname = ${quoteText(name)}`,
  )
  if (found === undefined)
    throw new FeatureStoreError(
      'FS_SOURCE_UNREADABLE',
      `Data source \`${source.name}\` can't be read: Redshift shows no external schema \`${schema}\`, which \`offline_store.external_schema\` names.`,
      {
        hint: `Make it by: ${createExternalSchema(schema, session, source)} Others may need: GRANT USAGE ON SCHEMA ${quoteName(schema)} TO …;`,
      },
    )
  const database = String(found[0])
  // Both keep names in lower case.
  if (database.toLowerCase() !== source.database.toLowerCase())
    throw new FeatureStoreError(
      'FS_CONFIG_INVALID',
      `Data source \`${source.name}\` is in the Glue database \`${source.database}\`, and the external schema \`${schema}\`, which \`offline_store.external_schema\` names, reads \`${database}\`.`,
      {
        hint: `Correct \`database\`, or name a schema over it. One beside \`${schema}\` is read by a source of type redshift with \`schema: …\`; it is made by: ${createExternalSchema(source.database, session, source)}`,
      },
    )
  return [schema, source.table].map(quoteName).join('.')
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_SCHEMA.html */
function createExternalSchema(schema: string, {settings}: WarehouseSession, {database}: GlueSource): string {
  return `CREATE EXTERNAL SCHEMA ${quoteName(schema)} FROM DATA CATALOG DATABASE ${quoteText(database)} ${iamRoleClause(settings)};`
}
