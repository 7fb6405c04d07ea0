import {DuckDBInstance} from '@duckdb/node-api'

/**
 * Runs the statements of a script one after the other in an empty database in memory. `{directory}` in the script
 * stands for `directory`, as it is written within a SQL string: `COPY … TO '{directory}/data/rows.parquet'`. (DuckDB
 * resolves relative paths against the process's folder, and has no setting for where COPY writes.) One thread, so that
 * the same script writes the same bytes.
 */
export async function runSqlScript(script: string, directory: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {threads: '1'})
  try {
    const connection = await instance.connect()
    try {
      await connection.run("SET TimeZone = 'UTC'")
      await connection.run(script.replaceAll('{directory}', () => directory.replaceAll("'", "''")))
    } finally {
      connection.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}
