import {stat} from 'node:fs/promises'
import {resolve} from 'node:path'
import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import type {SourceTree} from '../../compile/query.js'
import type {ReadableSource} from '../../compile/source-rows.js'
import type {
  DataSource,
  DeltaSource,
  DuckDbSource,
  FileSource,
  IcebergSource,
} from '../../definitions/definition.js'
import {isS3Location} from '../../aws/s3/s3-location.js'
import {FeatureStoreError} from '../../errors.js'
import {withFieldMapping} from '../field-mapping.js'
import type {DuckDbSession} from './duckdb-session.js'
import {engineMessage} from './query-error.js'
import {csvFiles, jsonFiles, typedFiles} from './file-relation.js'
import {findSourceFiles, unreadable} from './source-files.js'
import {loadExtension} from './load-extension.js'
import {resolveSnapshot} from './table-snapshot.js'
import {findGlueTable} from './find-glue-table.js'
import {glueRelation} from './glue-relation.js'
import type {SourceForm} from './source-form.js'
import type {TimeRange} from './time-range.js'
import {typedText} from './typed-text.js'
import {checkReproducible, parseSelect, qualifyTables} from './source-query.js'

/**
 * A source as the engine reads it, its field mapping applied. Nothing is read but what tells the columns. Rows outside
 * of `within` may be left out where that spares reading. Throws
 * FS_SOURCE_UNREADABLE, FS_SOURCE_NOT_REPRODUCIBLE, FS_SOURCE_MISMATCH.
 */
export async function readSource(
  session: DuckDbSession,
  tree: SourceTree,
  repoDirectory: string,
  form: SourceForm,
  within?: TimeRange,
): Promise<ReadableSource> {
  const {source} = tree
  const relation = await relationOf(session, tree, repoDirectory, form, within)
  return withFieldMapping(source, {
    dialect: duckDb,
    relation,
    columns: await describe(session, source, relation),
  })
}

async function relationOf(
  session: DuckDbSession,
  tree: SourceTree,
  repoDirectory: string,
  form: SourceForm,
  within: TimeRange | undefined,
): Promise<string> {
  const {source} = tree
  switch (source.type) {
    case 'file':
      return fileRelation(session, source, repoDirectory, form)
    case 'duckdb':
      return databaseRelation(session, source, repoDirectory)
    case 'query': {
      const what = `The query of data source \`${source.name}\``
      await checkReproducible(session, await parseSelect(session, source.query, what), source.query, what)
      return queryRelation(session, source.query, tree.inputs, repoDirectory, form)
    }
    case 'redshift':
      throw elsewhere(source)
    case 'delta':
    case 'iceberg':
      return tableRelation(session, source, repoDirectory)
    case 'glue': {
      const found = await findGlueTable(session, source)
      return 'table' in found
        ? glueRelation(session, found.catalog, {source, table: found.table}, form, within)
        : tableRelation(session, found.source, repoDirectory)
    }
    default:
      return source satisfies never
  }
}

function elsewhere(source: DataSource): FeatureStoreError {
  return new FeatureStoreError(
    'FS_NOT_SUPPORTED',
    `Data source \`${source.name}\` is of type ${source.type}, which DuckDB does not read.`,
    {
      hint: `Set \`offline_store: {type: ${source.type}, …}\` in feature_store.yaml, or give the source another type.`,
    },
  )
}

/** SQL over sources, which it names as tables. */
export async function queryRelation(
  session: DuckDbSession,
  sql: string,
  inputs: Readonly<Record<string, SourceTree>>,
  repoDirectory: string,
  form: SourceForm,
): Promise<string> {
  const tables: string[] = []
  for (const [name, input] of Object.entries(inputs)) {
    const {relation} = await readSource(session, input, repoDirectory, form === 'sniffed' ? form : 'typed')
    tables.push(`${quoteName(name)} AS NOT MATERIALIZED (SELECT * FROM ${relation})`)
  }
  const text = sql.trim().replace(/(;\s*)+$/, '')
  // The line ends before the bracket: the SQL may end in a comment.
  return `(${tables.length === 0 ? '' : `WITH ${tables.join(', ')} `}SELECT * FROM (${text}\n) AS query)`
}

async function fileRelation(
  session: DuckDbSession,
  source: FileSource,
  repoDirectory: string,
  form: SourceForm,
): Promise<string> {
  const files = await findSourceFiles(session, source, repoDirectory)
  if (form === 'sniffed' || files.format === 'parquet') return typedFiles(files)
  if (form === 'typed') return typedText(session, files)
  if (files.format === 'csv') return csvFiles(files, ['all_varchar = true'])
  const columns = await describe(session, source, typedFiles(files))
  const texts = columns.map(({name, nativeType}) => {
    const type = /[[(]|^JSON$/.test(nativeType) ? nativeType : 'VARCHAR'
    return `${quoteText(name)}: ${quoteText(type)}`
  })
  return jsonFiles(files, [`columns = {${texts.join(', ')}}`])
}

/** A table at the one snapshot that this session reads of it. */
async function tableRelation(
  session: DuckDbSession,
  source: DeltaSource | IcebergSource,
  repoDirectory: string,
): Promise<string> {
  // The snapshot is found once, and the engine may need other credentials by now than then.
  if (isS3Location(source.path)) await session.s3.open(session, source)
  const {relation} = await session.once(`snapshot of ${source.name}`, () =>
    resolveSnapshot(session, source, repoDirectory),
  )
  await loadExtension(session, source.type, `Data source \`${source.name}\``)
  return `(SELECT * FROM ${relation})`
}

async function databaseRelation(
  session: DuckDbSession,
  source: DuckDbSource,
  repoDirectory: string,
): Promise<string> {
  const path = resolve(repoDirectory, source.path)
  if ((await stat(path).catch(() => undefined))?.isFile() !== true)
    throw unreadable(source, 'there is no such file')
  const catalog = await session.attach(path).catch((cause: unknown) => {
    throw unreadable(
      source,
      cause instanceof Error ? engineMessage(cause).replace(/\.$/, '') : 'it is no database',
      cause,
    )
  })
  if (source.query === undefined) {
    const parts = [catalog, ...(source.table ?? '').split('.')]
    return `(SELECT * FROM ${parts.map(quoteName).join('.')})`
  }
  const what = `The query of data source \`${source.name}\``
  const statement = await parseSelect(session, source.query, what)
  await checkReproducible(session, statement, source.query, what)
  return queryRelation(session, await qualifyTables(session, statement, catalog), {}, repoDirectory, 'exact')
}

async function describe(
  session: DuckDbSession,
  source: DataSource,
  relation: string,
): Promise<ReadableSource['columns']> {
  try {
    return await session.describe(`SELECT * FROM ${relation}`, [])
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error
    throw new FeatureStoreError(
      'FS_SOURCE_UNREADABLE',
      `Data source \`${source.name}\` can't be read: ${'path' in source ? `${source.path}: ` : ''}${error.message}`,
      {
        hint: 'query' in source ? 'Correct the query; it names other sources as tables.' : error.hint,
        cause: error,
      },
    )
  }
}
