import {FeatureStoreError} from '../../errors.js'
import type {DuckDbSession} from './duckdb-session.js'
import {engineMessage} from './query-error.js'

/** Extensions that others call: DuckDB would else look for them only when the first file is read. */
const needs: Readonly<Record<string, readonly string[]>> = {iceberg: ['avro']}

/**
 * Loads an extension of DuckDB from where it was installed; nothing is downloaded. Safe to run twice. `neededBy` begins
 * the message: `Data source \`x\``. Throws FS_STORE_UNAVAILABLE with the way to install it.
 */
export async function loadExtension(session: DuckDbSession, name: string, neededBy: string): Promise<void> {
  for (const one of [...(needs[name] ?? []), name]) {
    try {
      await session.run(`LOAD ${one}`)
    } catch (cause) {
      const [[version, folder] = []] = await session.rows(
        `SELECT version(), current_setting('extension_directory')`,
      )
      const where = typeof folder === 'string' && folder !== '' ? folder : "DuckDB's own folder"
      // The engine's message repeats itself over several lines; the first says what is wrong.
      const reason = cause instanceof Error ? engineMessage(new Error(cause.message.split('\n')[0])) : ''
      throw new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `${neededBy} needs DuckDB's extension \`${one}\`, which can't be loaded from ${where}: ${reason}`,
        {
          hint: `Run \`INSTALL ${one}\` once in DuckDB ${String(version)}, or set \`extension_directory\` of offline_store to the folder where it is installed.`,
          cause,
        },
      )
    }
  }
}
