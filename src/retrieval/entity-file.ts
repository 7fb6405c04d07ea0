import {open} from 'node:fs/promises'
import {extname} from 'node:path'
import {FeatureStoreError} from '../errors.js'

export type EntityFileFormat = 'parquet' | 'csv' | 'json' | 'arrow'

const continuation = Buffer.from([0xff, 0xff, 0xff, 0xff])

const formatByEnding: Readonly<Record<string, EntityFileFormat>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
  '.feather': 'arrow',
}

/**
 * The format of a file of entity rows: by its ending, else by its first bytes (Parquet and Arrow have magic numbers,
 * JSON begins with a bracket, everything else is taken for CSV). Throws FS_ENTITY_ROWS_INVALID for a file that can't
 * be read or is empty.
 */
export async function detectEntityFormat(path: string): Promise<EntityFileFormat> {
  const head = await loadHead(path)
  if (head.length === 0) {
    throw new FeatureStoreError('FS_ENTITY_ROWS_INVALID', `The file of entity rows ${path} is empty.`, {
      hint: 'A CSV file begins with a line of column names; other formats hold their columns themselves.',
    })
  }
  return formatByEnding[extname(path).toLowerCase()] ?? sniffFormat(head)
}

async function loadHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path)
    try {
      const {buffer, bytesRead} = await file.read({buffer: Buffer.alloc(64)})
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new FeatureStoreError('FS_ENTITY_ROWS_INVALID', `The file of entity rows ${path} can't be read.`, {
      hint: 'Give the path of a Parquet, CSV, JSON or Arrow file, relative to the current folder.',
      cause,
    })
  }
}

function sniffFormat(head: Buffer): EntityFileFormat {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet'
  // Arrow's stream begins with a continuation marker, its file with a name: arrow.apache.org/docs/format/Columnar.html
  if (head.subarray(0, 4).equals(continuation) || head.subarray(0, 6).toString('latin1') === 'ARROW1')
    return 'arrow'
  return /^[\uFEFF\s]*[[{]/.test(head.toString('utf8')) ? 'json' : 'csv'
}
