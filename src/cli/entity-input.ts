import {createWriteStream} from 'node:fs'
import {mkdtemp, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join, resolve} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {FeatureStoreError} from '../errors.js'

/** Entity rows as a file that the engine can read. */
export interface EntityInput {
  readonly path: string
  /** Removes what was spooled. Safe to call twice. */
  readonly release: () => Promise<void>
}

/** `-` is standard input, spooled to a file because engines read files more than once, as is what lies in S3; else the path itself. */
export async function openEntityInput(argument: string, signal: AbortSignal): Promise<EntityInput> {
  if (/^s3:\/\//i.test(argument)) return fetched(argument, signal)
  if (argument !== '-') return {path: resolve(argument), release: () => Promise.resolve()}
  if (process.stdin.isTTY) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      '`--entities -` reads standard input, which is the terminal here.',
      {hint: 'Pipe the rows in: `… | fs get-historical-features --entities -`, or name a file.'},
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'fs-entities-'))
  const release = (): Promise<void> => rm(folder, {recursive: true, force: true})
  const path = join(folder, 'entities')
  try {
    await pipeline(process.stdin, createWriteStream(path, {mode: 0o600}), {signal})
    if ((await stat(path)).size === 0) {
      throw new FeatureStoreError('FS_ENTITY_ROWS_INVALID', 'Standard input held no entity rows.', {
        hint: 'Write Parquet, CSV, JSON or Arrow to it; CSV begins with a line of column names.',
      })
    }
    return {path, release}
  } catch (error) {
    await release()
    signal.throwIfAborted()
    throw error
  }
}

/** Under its own name, whose ending tells the format. */
async function fetched(location: string, signal: AbortSignal): Promise<EntityInput> {
  const folder = await mkdtemp(join(tmpdir(), 'fs-entities-'))
  const release = (): Promise<void> => rm(folder, {recursive: true, force: true})
  const path = join(folder, basename(location))
  try {
    const {fetchObject} = await import('../aws/s3/fetch-object.js')
    await fetchObject(location, path, signal)
    return {path, release}
  } catch (error) {
    await release()
    throw error
  }
}
