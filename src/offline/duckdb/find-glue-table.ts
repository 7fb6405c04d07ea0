import type {CatalogTable} from '../../catalog/glue/catalog-table.js'
import type {DeltaSource, GlueSource, IcebergSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import type {DuckDbSession} from './duckdb-session.js'
import type {NamedPath} from './s3/named-path.js'
import type {GlueCatalog} from '../../catalog/glue/glue-catalog.js'

/** What the catalog says that a source is: files, or a table that keeps its own list of them. */
export type FoundGlueTable =
  | {readonly catalog: GlueCatalog; readonly table: CatalogTable}
  | {readonly source: DeltaSource | IcebergSource}

/** Asks the catalog, once in a session. Throws FS_NOT_SUPPORTED for formats that DuckDB can't read, and as GlueCatalog does. */
export function findGlueTable(session: DuckDbSession, source: GlueSource): Promise<FoundGlueTable> {
  return session.once(`glue table of ${source.name}`, async () => {
    const {GlueCatalog} = await import('../../catalog/glue/glue-catalog.js')
    const catalog = new GlueCatalog(source)
    session.onClose(() => catalog.close())
    const table = await catalog.table(source.database, source.table).catch((error: unknown) => {
      throw named(error, source)
    })
    const {
      type: _type,
      database: _database,
      table: _table,
      catalogId: _id,
      roleArn: _role,
      ...others
    } = source
    const common = {...others, ...roleBelow(source, table.location)}
    switch (table.format.kind) {
      case 'delta':
        return {source: {...common, type: 'delta', path: table.location}}
      case 'iceberg':
        return {source: {...common, type: 'iceberg', path: table.format.metadata}}
      case 'unreadable':
        throw new FeatureStoreError(
          'FS_NOT_SUPPORTED',
          `Data source \`${source.name}\`: the table \`${source.database}.${source.table}\` is ${table.format.name}, which DuckDB can't read. Expected Parquet, CSV, JSON, Iceberg or Delta.`,
          {
            hint: 'Copy it to Parquet or Iceberg (Athena: CREATE TABLE … AS SELECT), or read it through Redshift Spectrum.',
          },
        )
      default:
        return {catalog, table}
    }
  })
}

/** Who may see a table may read its objects: the source's role is assumed for both. */
export function roleBelow({roleArn}: GlueSource, location: string): Pick<NamedPath, 'role'> {
  return roleArn === undefined ? {} : {role: {arn: roleArn, below: `${location.replace(/\/+$/, '')}/`}}
}

/** The same failure, with the name of the source. */
function named(error: unknown, source: GlueSource): unknown {
  if (!(error instanceof FeatureStoreError)) return error
  return new FeatureStoreError(error.code, `Data source \`${source.name}\`: ${error.message}`, {
    hint: error.hint,
    cause: error,
  })
}
