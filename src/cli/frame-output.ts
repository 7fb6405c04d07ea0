/** Where a training frame goes, and in which form. */
import {createReadStream} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {extname, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {FeatureStoreError} from '../errors.js'
import type {FrameFormat, RetrievalJob} from '../feature-store.js'
import {renderFrame} from './render-frame.js'

export const frameFormats = ['parquet', 'csv', 'json', 'arrow', 'table'] as const

export type FrameOutput =
  | {readonly to: 'sql'}
  | {readonly to: 'file'; readonly path: string; readonly format: FrameFormat}
  | {readonly to: 'table'}
  | {readonly to: 'stdout'; readonly format: FrameFormat}

/** Decides by the flags and by what standard output is. Throws FS_ARGUMENT_INVALID where flags contradict. */
export function chooseFrameOutput(flags: {
  readonly output?: string | undefined
  readonly format?: (typeof frameFormats)[number] | undefined
  readonly sql: boolean
  readonly json: boolean
}): FrameOutput {
  if (flags.sql) return {to: 'sql'}
  if (flags.output !== undefined) {
    return {to: 'file', path: flags.output, format: fileFormat(flags.output, flags.format)}
  }
  if (flags.json) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      '--json prints one document about the frame, so the frame itself needs a file.',
      {hint: 'Add --output FILE, or use --format json to get the frame as JSON lines.'},
    )
  }
  const format = flags.format ?? (process.stdout.isTTY ? 'table' : 'csv')
  if (format === 'table') return {to: 'table'}
  if (process.stdout.isTTY && (format === 'parquet' || format === 'arrow')) {
    throw new FeatureStoreError('FS_ARGUMENT_INVALID', `${format} is no text: a terminal can't show it.`, {
      hint: 'Add --output FILE, pipe it into a program, or leave --format out to see a table.',
    })
  }
  return {to: 'stdout', format}
}

/** The first rows as a table. */
export async function showFrame(job: RetrievalJob, signal: AbortSignal): Promise<string> {
  const batches = []
  for await (const batch of job.batches({limit: 10, signal})) batches.push(batch)
  return renderFrame(job.columns, batches, await job.countRows())
}

/** Spools the frame before the first byte leaves, so that a failure on the way emits nothing. */
export async function copyToStdout(
  job: RetrievalJob,
  format: FrameFormat,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fs-frame-'))
  try {
    const path = join(folder, `frame.${format}`)
    await job.writeFile(path, format, {signal})
    await pipeline(createReadStream(path), process.stdout, {end: false})
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

const formatByEnding: Readonly<Record<string, FrameFormat>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
}

function fileFormat(path: string, asked: (typeof frameFormats)[number] | undefined): FrameFormat {
  const format = asked ?? formatByEnding[extname(path).toLowerCase()]
  if (format !== undefined && format !== 'table') return format
  throw new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    format === 'table'
      ? 'A table is for the terminal: it is no format for a file.'
      : `The format of ${path} can't be told by its name. Expected an ending of ${Object.keys(formatByEnding).join(', ')}.`,
    {hint: 'Add --format parquet, csv, json or arrow.'},
  )
}
