import {resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import {isS3Location} from '../../aws/s3/s3-location.js'
import type {DeltaSource, IcebergSource} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import type {DuckDbSession} from './duckdb-session.js'
import {escapeGlob, unreadable} from './source-files.js'

/** A table at one of its snapshots. */
export interface TableSnapshot {
  /** The source as it names exactly this snapshot, whatever is committed from now on. */
  readonly source: DeltaSource | IcebergSource
  /** For people and for the record of a run: `delta version 8`. */
  readonly name: string
  /** The table function that reads it. Its extension must be loaded. */
  readonly relation: string
}

/**
 * Finds the snapshot that a source means now. Only the table's own list of snapshots is read, which needs no extension.
 * Throws FS_SOURCE_UNREADABLE where there is no such table or no such snapshot.
 */
export async function resolveSnapshot(
  session: DuckDbSession,
  source: DeltaSource | IcebergSource,
  repoDirectory: string,
): Promise<TableSnapshot> {
  const path = locate(source.path, repoDirectory)
  if (isS3Location(path)) await session.s3.open(session, source)
  return source.type === 'delta'
    ? deltaVersion(session, source, path)
    : icebergSnapshot(session, source, path)
}

async function deltaVersion(
  session: DuckDbSession,
  source: DeltaSource,
  path: string,
): Promise<TableSnapshot> {
  const files = await list(session, `${escapeGlob(path)}/_delta_log/*`)
  const versions = files.flatMap((file) => {
    // https://github.com/delta-io/delta/blob/master/PROTOCOL.md: commits, and checkpoints of one or several parts.
    const [, version] = /\/(\d{20})\.(?:json|checkpoint\..*parquet|checkpoint\..*json)$/.exec(file) ?? []
    return version === undefined ? [] : [Number(version)]
  })
  if (versions.length === 0)
    throw unreadable(source, 'it is no Delta table: there is no commit in `_delta_log`')
  const newest = Math.max(...versions)
  const version = source.version ?? newest
  if (version > newest) {
    throw noSuchSnapshot(source, `there is no version ${version}, the newest is ${newest}`, 'version')
  }
  return {
    source: {...source, version},
    name: `delta version ${version}`,
    relation: `delta_scan(${quoteText(path)}, version := ${version})`,
  }
}

async function icebergSnapshot(
  session: DuckDbSession,
  source: IcebergSource,
  path: string,
): Promise<TableSnapshot> {
  const file = isMetadata.test(path) ? path : await newestMetadata(session, source, path)
  const isCompressed = /\.gz(\.|$)/.test(file)
  const [row] = await session
    .rows(
      // As text: ids of snapshots are greater than what a number of JavaScript keeps.
      `SELECT "table-uuid", "current-snapshot-id", array_to_string(list_transform(snapshots, lambda one: one."snapshot-id"), ' ')
      FROM read_json(${quoteText(escapeGlob(file))}, format = 'unstructured', records = true, maximum_object_size = 1000000000,
        ${isCompressed ? "compression = 'gzip'," : ''}
        columns = {'table-uuid': 'VARCHAR', 'current-snapshot-id': 'VARCHAR', 'snapshots': 'STRUCT("snapshot-id" VARCHAR)[]'})`,
    )
    .catch((cause: unknown) => {
      throw unreadable(source, `its metadata ${file} can't be read`, cause)
    })
  const [uuid, current, ids] = (row ?? []) as readonly (string | null | undefined)[]
  if (uuid === null || uuid === undefined)
    throw unreadable(source, `${file} is no metadata of an Iceberg table`)
  const known = (ids ?? '').split(' ').filter((id) => id !== '')
  const wanted = source.snapshotId ?? current ?? ''
  if (source.snapshotId !== undefined && !known.includes(wanted)) {
    const last = known.length === 0 ? 'it has none yet' : `the last ones are ${known.slice(-3).join(', ')}`
    throw noSuchSnapshot(source, `there is no snapshot ${wanted}; ${last}`, 'snapshot_id')
  }
  // A table to which nothing was written has no snapshot, or -1.
  const isEmpty = !known.includes(wanted)
  return {
    source: {...source, path: file, ...(isEmpty ? {} : {snapshotId: wanted})},
    name: isEmpty ? 'iceberg without a snapshot' : `iceberg snapshot ${wanted}`,
    relation: `iceberg_scan(${[
      quoteText(file),
      ...(isEmpty ? [] : [`snapshot_from_id := ${wanted}`]),
      ...(isCompressed ? ["metadata_compression_codec := 'gzip'"] : []),
    ].join(', ')})`,
  }
}

const isMetadata = /\.metadata\.json(\.gz)?$/

/** The metadata file of the last commit. Writers that have a catalog leave no hint of it, so that its number tells. */
async function newestMetadata(session: DuckDbSession, source: IcebergSource, path: string): Promise<string> {
  const found = (await list(session, `${escapeGlob(path)}/metadata/*`)).flatMap((file) => {
    const [, version] =
      /\/v?(\d+)(?:-[^/]*)?\.metadata\.json(?:\.gz)?$/.exec(file.replace('.gz.metadata', '.metadata')) ?? []
    return version === undefined ? [] : [{file, version: Number(version)}]
  })
  if (found.length === 0)
    throw unreadable(source, 'it is no Iceberg table: there is no `*.metadata.json` in `metadata`')
  const newest = Math.max(...found.map(({version}) => version))
  const [first, second] = found.filter(({version}) => version === newest).map(({file}) => file)
  if (first !== undefined && second === undefined) return first
  const names = [first, second].map((file) => (file ?? '').slice(path.length + 1)).join(' and ')
  throw new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `Data source \`${source.name}\` can't be read: ${source.path}: two metadata files are the newest, ${names}. One is of a commit that lost a race.`,
    {hint: 'Set `path` to the metadata file that the catalog names.'},
  )
}

/** Names of files; none where there is no such folder. */
async function list(session: DuckDbSession, pattern: string): Promise<readonly string[]> {
  const rows = await session.rows(`SELECT file FROM glob(${quoteText(pattern)})`)
  return rows.map(([file]) => file as string)
}

const isUrl = (path: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(path)

function locate(path: string, repoDirectory: string): string {
  if (path.startsWith('file:')) return fileURLToPath(path).replace(/\/$/, '')
  return (isUrl(path) ? path : resolve(repoDirectory, path)).replace(/\/$/, '')
}

function noSuchSnapshot(
  source: DeltaSource | IcebergSource,
  reason: string,
  setting: string,
): FeatureStoreError {
  return new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `Data source \`${source.name}\` can't be read: ${source.path}: ${reason}.`,
    {hint: `Correct \`${setting}\`, or leave it out to read what is newest when a run begins.`},
  )
}
