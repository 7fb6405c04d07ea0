import {chmodSync, mkdtempSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'

/**
 * A folder where PostgreSQL, which is another user's, and DuckDB, which reads and writes Parquet, meet on one CSV file; it is
 * removed in the end. So rows never come into this process, however many they are.
 *
 * @template Result
 * @param {string} folderOfAll Where it is made; PostgreSQL's user gets there.
 * @param {(place: {folder: string, csv: string, duckDb: import('@duckdb/node-api').DuckDBConnection}) => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function exchange(folderOfAll, work) {
  const folder = mkdtempSync(join(folderOfAll, 'exchange-'))
  chmodSync(folder, 0o777)
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '512MB',
    temp_directory: join(folder, 'spilled'),
    autoinstall_known_extensions: 'false',
  })
  const duckDb = await instance.connect()
  try {
    return await work({folder, csv: join(folder, 'rows.csv'), duckDb})
  } finally {
    duckDb.closeSync()
    instance.closeSync()
    rmSync(folder, {recursive: true, force: true})
  }
}

/** A text of SQL, for both of them. */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`
}
