/** Entity rows of any kind as a relation with columns, in their order. */
import type {DuckDBType, DuckDBValue} from '@duckdb/node-api'
import {compileIntervalRows, intervalColumns} from '../../compile/interval-rows.js'
import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import {nativeTypeOf} from '../../compile/dialects/duckdb-types.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import type {EntityRows, KeyColumn, PointInTimeQuery, TypedColumn} from '../../compile/query.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {ReadableJoin, ReadableSource} from '../../compile/source-rows.js'
import {FeatureStoreError} from '../../errors.js'
import {readArrowFile} from './arrow-file.js'
import type {DuckDbSession} from './duckdb-session.js'
import {typedFiles} from './file-relation.js'
import {queryRelation} from './read-source.js'
import {typedText} from './typed-text.js'
import {escapeGlob} from './source-files.js'
import {parseSelect} from './source-query.js'

/** Reads no more than it must to know the columns; rows that come from JavaScript are put into a table of the session. */
export async function entityRelation(
  session: DuckDbSession,
  query: PointInTimeQuery,
  joins: readonly ReadableJoin[],
  repoDirectory: string,
): Promise<EntityRelation> {
  const {entityRows} = query
  switch (entityRows.kind) {
    case 'file':
      return fileRows(session, entityRows, query)
    case 'sql': {
      await parseSelect(session, entityRows.sql, 'The SQL of the entity rows').catch(asEntityRows)
      const relation = await queryRelation(session, entityRows.sql, entityRows.inputs, repoDirectory, 'exact')
      return fixed(relation, await session.describe(`SELECT * FROM ${relation}`, []).catch(asEntityRows))
    }
    case 'values':
      return valueRows(session, entityRows.columns, entityRows.rows)
    case 'interval':
      return intervalRows({...query, entityRows}, joins)
    default:
      return entityRows satisfies never
  }
}

function fixed(relation: string, columns: ReadableSource['columns']): EntityRelation {
  return {columns, write: () => relation}
}

async function fileRows(
  session: DuckDbSession,
  {path, format}: Extract<EntityRows, {kind: 'file'}>,
  query: PointInTimeQuery,
): Promise<EntityRelation> {
  if (format === 'arrow') {
    const {columns, rows} = await readArrowFile(path)
    return valueRows(session, columns, rows)
  }
  const files = {argument: quoteText(escapeGlob(path)), format, several: false}
  try {
    // 00501 is a text where a key is one, and no number.
    const relation =
      format === 'parquet' ? typedFiles(files) : await typedText(session, files, textKeys(query))
    return fixed(relation, await session.describe(`SELECT * FROM ${relation}`, []))
  } catch (error) {
    return asEntityRows(error, path)
  }
}

function textKeys({joins}: PointInTimeQuery): readonly string[] {
  const keys = joins.flatMap(({rows, entityColumns}) =>
    rows.keys.flatMap(({valueType}: KeyColumn, index) =>
      valueType === 'string' ? [entityColumns[index] as string] : [],
    ),
  )
  return [...new Set(keys)]
}

async function valueRows(
  session: DuckDbSession,
  columns: readonly TypedColumn[],
  rows: readonly (readonly unknown[])[],
): Promise<EntityRelation> {
  const table = 'entity_values'
  const described = columns.map(({name, valueType}) => ({name, nativeType: nativeTypeOf(valueType)}))
  await session.run(
    `CREATE TEMP TABLE ${table} (${described.map(({name, nativeType}) => `${quoteName(name)} ${nativeType}`).join(', ')})`,
  )
  await appendValues(session, table, columns, rows)
  return fixed(`temp.${table}`, described)
}

async function appendValues(
  session: DuckDbSession,
  table: string,
  columns: readonly TypedColumn[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const {DuckDBDataChunk} = await import('@duckdb/node-api')
  const {toEngineValue} = await import('./engine-value.js')
  const appender = await session.connection.createAppender(table, null, 'temp')
  try {
    const types = columns.map((_, index): DuckDBType => appender.columnType(index))
    for (let start = 0; start < rows.length; start += 2048) {
      const part = rows.slice(start, start + 2048)
      const chunk = DuckDBDataChunk.create(types, part.length)
      columns.forEach(({valueType}, index) =>
        chunk.setColumnValues(
          index,
          part.map((row): DuckDBValue => toEngineValue(row[index] ?? null, valueType)),
        ),
      )
      appender.appendDataChunk(chunk)
    }
  } finally {
    appender.closeSync()
  }
}

function intervalRows(
  query: PointInTimeQuery & {readonly entityRows: Extract<EntityRows, {kind: 'interval'}>},
  joins: readonly ReadableJoin[],
): EntityRelation {
  const types = new Map(
    query.joins.flatMap(({rows, entityColumns}) =>
      entityColumns.map(
        (column, index) => [column, nativeTypeOf((rows.keys[index] as KeyColumn).valueType)] as const,
      ),
    ),
  )
  const columns = [
    ...intervalColumns(query).map((name) => ({name, nativeType: types.get(name) as string})),
    {name: query.timestampColumn, nativeType: 'TIMESTAMP'},
  ]
  return {columns, write: (values) => compileIntervalRows(query, joins, duckDb, values)}
}

function asEntityRows(error: unknown, path?: string): never {
  if (!(error instanceof FeatureStoreError)) throw error
  throw new FeatureStoreError(
    'FS_ENTITY_ROWS_INVALID',
    path === undefined
      ? `The SQL of the entity rows failed: ${error.message}`
      : `The file of entity rows ${path} can't be read: ${error.message}`,
    {
      hint:
        path === undefined
          ? 'Write one SELECT; it names data sources as tables.'
          : 'Give a whole Parquet, CSV, JSON or Arrow file; a CSV file begins with a line of column names.',
      cause: error,
    },
  )
}
