import {readdir, stat} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {FileFormat, FileSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import {isS3Location, type S3Object} from '../../aws/s3/s3-location.js'
import type {DuckDbSession} from './duckdb-session.js'
import {isGlob} from './s3/match-glob.js'

/** Files that the engine reads as one relation. */
export interface SourceFiles {
  /** As the argument of a reading function: a path, a glob or a list of them. */
  readonly argument: string
  readonly format: FileFormat
  /** Whether there may be several files: then columns are matched by name, and folders named k=v are columns. */
  readonly several: boolean
}

const endings: readonly (readonly [RegExp, FileFormat])[] = [
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(csv|tsv)(\.(gz|zst))?$/i, 'csv'],
  [/\.(json|jsonl|ndjson)(\.(gz|zst))?$/i, 'json'],
]

/** Finds the files of a source. Throws FS_SOURCE_UNREADABLE, with the path as the user wrote it. */
export async function findSourceFiles(
  session: DuckDbSession,
  source: FileSource,
  repoDirectory: string,
): Promise<SourceFiles> {
  const {path, format} = source
  if (isS3Location(path)) return s3SourceFiles(session, source)
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return onlyFile(source, quoteText(path), path)
  const full = resolve(repoDirectory, path)
  const found = await stat(full).catch(() => undefined)
  if (found?.isDirectory() === true) return filesIn(source, full)
  if (found?.size === 0) throw unreadable(source, 'the file is empty')
  if (found !== undefined) return onlyFile(source, quoteText(escapeGlob(full)), path)
  if (!/[*?[]/.test(path)) throw unreadable(source, 'there is no such file')
  // Only what the user wrote is a pattern; the way to the repo may hold brackets of its own.
  const base = path.startsWith('/') ? '' : `${escapeGlob(resolve(repoDirectory))}/`
  const told = format ?? formatOf(path)
  if (told === undefined) throw unreadable(source, `its format can't be told by its ending: add \`format\``)
  return {argument: quoteText(`${base}${path}`), format: told, several: true}
}

async function s3SourceFiles(session: DuckDbSession, source: FileSource): Promise<SourceFiles> {
  const found = await session.s3.find(session, source)
  const isOne = found.length === 1 && source.path.endsWith(`/${found[0]?.key ?? ''}`)
  const read = isOne || isGlob(source.path) ? found : ofOneFormat(source, found)
  const format =
    source.format ?? formatOf(isOne ? (read[0]?.key ?? '') : source.path) ?? formatOf(read[0]?.key ?? '')
  if (format === undefined) throw unreadable(source, `its format can't be told by its ending: add \`format\``)
  const paths = await session.s3.paths(session, read, source)
  const texts = paths.map((one) => quoteText(escapeGlob(one)))
  return isOne
    ? {argument: texts[0] as string, format, several: false}
    : {argument: `[${texts.join(', ')}]`, format, several: true}
}

/** Of a folder, as of one of this machine: its data files, which must be of one format. */
function ofOneFormat(source: FileSource, found: readonly S3Object[]): readonly S3Object[] {
  const formats = [...new Set(found.flatMap(({key}) => formatOf(key) ?? []))]
  if (formats.length === 0) throw unreadable(source, 'the folder holds no Parquet, CSV or JSON file')
  if (source.format === undefined && formats.length > 1)
    throw unreadable(source, `the folder holds files of several formats (${formats.sort().join(', ')})`)
  const format = source.format ?? formats[0]
  const read = found.filter(({key}) => formatOf(key) === format)
  if (read.length === 0) throw unreadable(source, `the folder holds no ${String(format)} file`)
  return read
}

/** A path that means itself where the engine takes a pattern. */
export function escapeGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, '[$&]')
}

export function formatOf(path: string): FileFormat | undefined {
  return endings.find(([ending]) => ending.test(path))?.[1]
}

function onlyFile(source: FileSource, argument: string, path: string): SourceFiles {
  const format = source.format ?? formatOf(path)
  if (format === undefined) throw unreadable(source, `its format can't be told by its ending: add \`format\``)
  return {argument, format, several: /[*?[]/.test(path)}
}

/** A folder with all folders in it; all its data files must be of one format. */
async function filesIn(source: FileSource, folder: string): Promise<SourceFiles> {
  const names = await readdir(folder, {recursive: true}).catch((cause: unknown) => {
    throw unreadable(source, cause instanceof Error ? cause.message : "the folder can't be listed")
  })
  const found = new Map<string, FileFormat>()
  for (const name of names) {
    const format = formatOf(name)
    const ending = endings.flatMap(([pattern]) => pattern.exec(name)?.[0] ?? [])[0]
    if (format !== undefined && ending !== undefined) found.set(ending, format)
  }
  const formats = [...new Set(found.values())]
  const format = source.format ?? formats[0]
  if (format === undefined) throw unreadable(source, 'the folder holds no Parquet, CSV or JSON file')
  if (source.format === undefined && formats.length > 1) {
    throw unreadable(source, `the folder holds files of several formats (${formats.sort().join(', ')})`)
  }
  const globs = [...found].filter(([, one]) => one === format).map(([ending]) => `**/*${escapeGlob(ending)}`)
  if (globs.length === 0) throw unreadable(source, `the folder holds no ${format} file`)
  const patterns = globs.sort().map((glob) => quoteText(join(escapeGlob(folder), glob)))
  return {argument: `[${patterns.join(', ')}]`, format, several: true}
}

/** The folder to name in a hint, and what is wrong. */
export function unreadable(
  source: {readonly name: string; readonly path: string},
  reason: string,
  cause?: unknown,
): FeatureStoreError {
  return new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `Data source \`${source.name}\` can't be read: ${source.path}: ${reason}.`,
    {hint: 'Check `path` of the source; it is relative to the folder of feature_store.yaml.', cause},
  )
}
