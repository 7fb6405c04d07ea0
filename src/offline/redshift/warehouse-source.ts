import {quoteName} from '../../compile/dialects/redshift-names.js'
import {redshift} from '../../compile/dialects/redshift.js'
import type {SourceTree} from '../../compile/query.js'
import type {ReadableSource} from '../../compile/source-rows.js'
import type {DataSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import {withFieldMapping} from '../field-mapping.js'
import {checkQuery} from './check-query.js'
import {externalTable} from './external-schema.js'
import type {WarehouseSession} from './warehouse-session.js'

/**
 * A source as the warehouse reads it, its field mapping applied; no row is read. Throws FS_SOURCE_UNREADABLE,
 * FS_SOURCE_NOT_REPRODUCIBLE, FS_SOURCE_MISMATCH, FS_CONFIG_INVALID, FS_NOT_SUPPORTED for a source that lies elsewhere.
 */
export async function readWarehouseSource(
  session: WarehouseSession,
  tree: SourceTree,
): Promise<ReadableSource> {
  const {source} = tree
  const relation = await relationOf(session, tree)
  const columns = await session.describe(`SELECT * FROM ${relation} AS source`).catch((error: unknown) => {
    throw unreadable(error, source)
  })
  // The warehouse knows names in lower case.
  return withFieldMapping(source, {dialect: redshift, relation, columns}, (name) => name.toLowerCase())
}

/** SQL over sources, which it names as tables, as a relation. */
export async function queryRelation(
  session: WarehouseSession,
  sql: string,
  inputs: Readonly<Record<string, SourceTree>>,
  what: string,
): Promise<string> {
  checkQuery(sql, what)
  const tables: string[] = []
  for (const [name, input] of Object.entries(inputs)) {
    const {relation} = await readWarehouseSource(session, input)
    tables.push(`${quoteName(name)} AS (SELECT * FROM ${relation} AS input)`)
  }
  const text = sql.trim().replace(/(;\s*)+$/, '')
  // The line ends before the bracket: the SQL may end in a comment.
  return `(${tables.length === 0 ? '' : `WITH ${tables.join(', ')} `}SELECT * FROM (${text}\n) AS query)`
}

async function relationOf(session: WarehouseSession, {source, inputs}: SourceTree): Promise<string> {
  const what = `The query of data source \`${source.name}\``
  switch (source.type) {
    case 'redshift': {
      if (source.query !== undefined) return queryRelation(session, source.query, {}, what)
      const parts = [source.database, source.schema, ...(source.table ?? '').split('.')]
      return parts.flatMap((part) => (part === undefined ? [] : [quoteName(part)])).join('.')
    }
    case 'glue':
      return externalTable(session, source)
    case 'query':
      return queryRelation(session, source.query, inputs, what)
    default:
      throw new FeatureStoreError(
        'FS_NOT_SUPPORTED',
        `Data source \`${source.name}\` is of type ${source.type}, which Redshift does not read.`,
        {
          hint: 'Load it into a table of the warehouse and give the source `type: redshift`, or set `offline_store: {type: duckdb}`.',
        },
      )
  }
}

function unreadable(error: unknown, source: DataSource): unknown {
  if (!(error instanceof FeatureStoreError) || error.code !== 'FS_QUERY_FAILED') return error
  const table = 'table' in source && source.table !== undefined ? ` (${source.table})` : ''
  return new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `Data source \`${source.name}\`${table} can't be read: ${error.message}`,
    {
      hint:
        source.type === 'glue'
          ? 'Check `table`, as the catalog has it, and that the user may SELECT from it.'
          : 'query' in source && source.query !== undefined
            ? 'Correct the query.'
            : 'Check `schema`, `table` and `database`, and that the user may SELECT from it.',
      cause: error,
    },
  )
}
