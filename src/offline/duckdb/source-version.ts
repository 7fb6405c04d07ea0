import {createHash} from 'node:crypto'
import {resolve} from 'node:path'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {SourceTree} from '../../compile/query.js'
import type {Instant} from '../../definitions/instant.js'
import type {DuckDbSession} from './duckdb-session.js'
import {escapeGlob, findSourceFiles} from './source-files.js'

/** Names, sizes and times of a source's files, shortened; of those alone that had not changed since `modifiedBy`. */
export async function sourceVersion(
  session: DuckDbSession,
  tree: SourceTree,
  repoDirectory: string,
  modifiedBy: Instant,
): Promise<string> {
  const hash = createHash('sha256')
  for (const argument of await fileArguments(tree, repoDirectory)) {
    // Contents are not read: only columns that are asked for are.
    const files = await session.rows(
      `SELECT filename, size::VARCHAR, epoch_us(last_modified)::VARCHAR FROM read_blob(${argument})
       WHERE epoch_us(last_modified) <= $1::BIGINT ORDER BY filename`,
      [modifiedBy],
    )
    hash.update(JSON.stringify([argument, files]))
  }
  return hash.digest('hex')
}

async function fileArguments(
  {source, inputs}: SourceTree,
  repoDirectory: string,
): Promise<readonly string[]> {
  switch (source.type) {
    case 'file':
      return [(await findSourceFiles(source, repoDirectory)).argument]
    case 'duckdb':
      return [quoteText(escapeGlob(resolve(repoDirectory, source.path)))]
    case 'query': {
      const all = await Promise.all(Object.values(inputs).map((input) => fileArguments(input, repoDirectory)))
      return all.flat()
    }
    default:
      return source satisfies never
  }
}
