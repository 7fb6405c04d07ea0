import {createHash} from 'node:crypto'
import {stat} from 'node:fs/promises'
import {resolve} from 'node:path'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import {isS3Location, type S3Object} from '../../aws/s3/s3-location.js'
import type {SourceTree} from '../../compile/query.js'
import type {Instant} from '../../definitions/instant.js'
import type {DuckDbSession} from './duckdb-session.js'
import {escapeGlob, findSourceFiles} from './source-files.js'
import {parseSelect, readsMore} from './source-query.js'

/**
 * Identities, sizes and times of a source's files, or ETags of its objects in S3, shortened; of those alone that had not changed since `modifiedBy`.
 * Undefined where its SQL reads more than is known of.
 */
export async function sourceVersion(
  session: DuckDbSession,
  tree: SourceTree,
  repoDirectory: string,
  modifiedBy: Instant,
): Promise<string | undefined> {
  const files = await filesOf(session, tree, repoDirectory)
  if (files === undefined) return undefined
  const hash = createHash('sha256')
  for (const object of files.filter((file) => typeof file !== 'string')) {
    if (BigInt(object.modifiedMillis) * 1000n > modifiedBy) continue
    hash.update(JSON.stringify([object.bucket, object.key, object.etag]))
  }
  for (const file of files.filter((one) => typeof one === 'string').toSorted()) {
    const found = await stat(file, {bigint: true}).catch(() => undefined)
    // To the nanosecond: a file may be replaced by another of its size within a second.
    if (found === undefined || found.mtimeNs / 1000n > modifiedBy) continue
    hash.update(JSON.stringify([file, ...[found.ino, found.size, found.mtimeNs].map(String)]))
  }
  return hash.digest('hex')
}

async function filesOf(
  session: DuckDbSession,
  {source, inputs}: SourceTree,
  repoDirectory: string,
): Promise<readonly (string | S3Object)[] | undefined> {
  const knows = async (sql: string, tables: ReadonlySet<string> | undefined): Promise<boolean> =>
    !readsMore(await parseSelect(session, sql, `The query of data source \`${source.name}\``), tables)
  switch (source.type) {
    case 'file': {
      if (isS3Location(source.path)) return session.s3.find(session, source)
      const {argument} = await findSourceFiles(session, source, repoDirectory)
      // Contents are not read: only columns that are asked for are.
      const rows = await session.rows(`SELECT filename FROM read_blob(${argument})`)
      return rows.map(([name]) => name as string)
    }
    case 'duckdb': {
      if (source.query !== undefined && !(await knows(source.query, undefined))) return undefined
      const path = resolve(repoDirectory, source.path)
      const rows = await session.rows(`SELECT filename FROM read_blob(${quoteText(escapeGlob(path))})`)
      // What was committed and not yet merged lies beside it.
      return rows.flatMap(([name]) => [name as string, `${name as string}.wal`])
    }
    case 'query': {
      const tables = new Set(Object.keys(inputs).map((name) => name.toLowerCase()))
      if (!(await knows(source.query, tables))) return undefined
      const all = await Promise.all(Object.values(inputs).map((one) => filesOf(session, one, repoDirectory)))
      return all.some((one) => one === undefined) ? undefined : all.flatMap((one) => one ?? [])
    }
    case 'redshift':
    // As the run that asks has pinned them, they never change.
    case 'delta':
    case 'iceberg':
      return []
    case 'glue':
      return undefined
    default:
      return source satisfies never
  }
}
