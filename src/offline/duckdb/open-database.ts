import {randomUUID} from 'node:crypto'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {FeatureStoreError} from '../../errors.js'
import {quoteText} from '../../compile/dialects/duckdb-names.js'

/**
 * An empty database in memory, which reads the sources where they lie. What does not fit in memory goes to a folder of
 * its own among the system's temporary files; the engine makes it when it needs it, and removes it when it is closed.
 */
export async function openDatabase(
  settings: Readonly<Record<string, unknown>>,
  repoDirectory: string,
): Promise<DuckDBInstance> {
  const {threads, memoryLimit, extensionDirectory} = settings as {
    readonly threads?: number
    readonly memoryLimit?: string
    readonly extensionDirectory?: string
  }
  const options: Record<string, string> = {
    temp_directory: join(tmpdir(), `fs-duckdb-${randomUUID()}`),
    // What is downloaded in the middle of a run is nobody's choice.
    autoinstall_known_extensions: 'false',
    // Else what one step has given back stays with the process while the next one takes more.
    allocator_background_threads: 'true',
    allocator_bulk_deallocation_flush_threshold: '16MB',
    // It compares each row with each where it expects few requests, and of tables of its own transaction, and of
    // conditions, it expects too few: https://duckdb.org/docs/stable/configuration/overview
    asof_loop_join_threshold: '0',
    ...(threads === undefined ? {} : {threads: String(threads)}),
    ...(memoryLimit === undefined ? {} : {memory_limit: memoryLimit}),
    ...(extensionDirectory === undefined
      ? {}
      : {extension_directory: resolve(repoDirectory, extensionDirectory)}),
  }
  try {
    const instance = await DuckDBInstance.create(':memory:', options)
    const connection = await instance.connect()
    try {
      await connection.run("SET GLOBAL TimeZone = 'UTC'")
      // Files that the SQL of a source names itself are relative to the repo, wherever the command runs.
      await connection.run(`SET GLOBAL file_search_path = ${quoteText(repoDirectory)}`)
    } finally {
      connection.closeSync()
    }
    return instance
  } catch (cause) {
    throw new FeatureStoreError(
      'FS_STORE_UNAVAILABLE',
      `DuckDB can't be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {hint: 'Check `offline_store` in feature_store.yaml.', cause},
    )
  }
}
