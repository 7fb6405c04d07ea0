/**
 * CREATE EXTERNAL SCHEMA over the Glue Data Catalog: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_SCHEMA.html
 *
 * Spectrum reads the files of a table whenever a statement does. Here the tables of Parquet that the catalog has are copied
 * when the schema is made, so what is added to the catalog or to S3 later is not seen.
 */
import {GetTablesCommand, GlueClient} from '@aws-sdk/client-glue'
import pg from 'pg'
import {copy} from './copy.mjs'
import {NotRedshift} from './translate.mjs'

const form =
  /^\s*create\s+external\s+schema\s+(?<unlessThere>if\s+not\s+exists\s+)?(?:"(?<quoted>[^"]+)"|(?<plain>\w+))\s+from\s+data\s+catalog\s+database\s+'(?<database>[^']+)'\s+iam_role\s+(?:default\b|'arn:aws:iam::[^']+')\s*;?\s*$/i

/** Types of Hive as Spectrum has them; those that nobody here needed are missing. */
const types = {
  ...{boolean: 'bool', smallint: 'int2', int: 'int4', bigint: 'int8', float: 'float4', double: 'float8'},
  ...{date: 'date', timestamp: 'timestamp', string: 'varchar(65535)'},
}

/**
 * What a statement asks for; undefined where it makes no external schema.
 *
 * @param {string} sql
 */
export function parseExternalSchema(sql) {
  if (!/^\s*create\s+external\s+schema\b/i.test(sql)) return undefined
  const {groups} = form.exec(sql) ?? {}
  if (groups === undefined)
    throw new NotRedshift(
      "syntax error: CREATE EXTERNAL SCHEMA name FROM DATA CATALOG DATABASE '…' IAM_ROLE '…'",
    )
  const {quoted, plain, database, unlessThere} = groups
  // Redshift folds names, also within quotes.
  return {schema: (quoted ?? plain).toLowerCase(), database, unlessThere: unlessThere !== undefined}
}

/**
 * Makes it, with the tables that the catalog has.
 *
 * @param {NonNullable<ReturnType<typeof parseExternalSchema>>} asked
 * @param {Parameters<typeof copy>[1] & {glueUrl: string}} means
 */
export async function createExternalSchema({schema, database, unlessThere}, means) {
  const {client} = means
  const {rows} = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  if (rows.length > 0) {
    if (unlessThere) return
    throw new Error(`Schema "${schema}" already exists`)
  }
  await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`)
  await client.query('INSERT INTO redshift.svv_external_schemas VALUES ($1, $2)', [schema, database])
  for (const {Name, StorageDescriptor, PartitionKeys = []} of await tablesOf(database, means.glueUrl)) {
    if (PartitionKeys.length > 0) throw new NotRedshift(`the stand-in reads no partitions: ${Name}`)
    const table = [schema, Name.toLowerCase()].map(pg.escapeIdentifier).join('.')
    const columns = StorageDescriptor.Columns.map((column) => {
      const type = types[column.Type]
      if (type === undefined) throw new NotRedshift(`the stand-in reads no ${column.Type}: ${column.Name}`)
      return `${pg.escapeIdentifier(column.Name)} ${type}`
    })
    await client.query(`CREATE TABLE ${table} (${columns.join(', ')})`)
    await copy({table, list: '', from: StorageDescriptor.Location}, means)
  }
}

/** Redshift makes the schema also where the catalog has no such database. */
async function tablesOf(database, endpoint) {
  const glue = new GlueClient({
    endpoint,
    region: 'us-east-1',
    credentials: {accessKeyId: 'redshift', secretAccessKey: 'redshift'},
  })
  try {
    return (await glue.send(new GetTablesCommand({DatabaseName: database}))).TableList
  } catch (error) {
    if (error.name === 'EntityNotFoundException') return []
    throw error
  } finally {
    glue.destroy()
  }
}
