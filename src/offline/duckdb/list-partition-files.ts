import {fileURLToPath} from 'node:url'
import {isS3Location, parseS3Location} from '../../aws/s3/s3-location.js'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {CatalogPartition} from '../../catalog/glue/glue-catalog.js'
import type {DuckDbSession} from './duckdb-session.js'
import {escapeGlob} from './source-files.js'
import type {NamedPath} from './s3/named-path.js'

export interface FilesOfPartition {
  readonly partition: CatalogPartition
  readonly files: readonly string[]
}

/** Partitions in S3 that are listed side by side. */
const listedAtOnce = 16

/** Patterns in one listing: a statement stays of a size that is quickly parsed. */
const most = 500

/**
 * The data files of each partition, folders in its folder included. As Hive and Athena do, names that begin with `_` or
 * `.` are left out, and so are the empty objects that stand for folders.
 */
export async function listFiles(
  session: DuckDbSession,
  source: Omit<NamedPath, 'path'>,
  partitions: readonly CatalogPartition[],
): Promise<readonly FilesOfPartition[]> {
  const remote = partitions.filter(({location}) => isS3Location(location))
  return [
    ...(await listObjects(session, source, remote)),
    ...(await listLocal(
      session,
      partitions.filter((one) => !remote.includes(one)),
    )),
  ]
}

/** As `listFiles`, of partitions in S3. */
async function listObjects(
  session: DuckDbSession,
  source: Omit<NamedPath, 'path'>,
  partitions: readonly CatalogPartition[],
): Promise<readonly FilesOfPartition[]> {
  const listed: FilesOfPartition[] = []
  for (let at = 0; at < partitions.length; at += listedAtOnce)
    listed.push(
      ...(await Promise.all(
        partitions.slice(at, at + listedAtOnce).map(async (partition) => {
          const path = `${partition.location.replace(/\/+$/, '')}/`
          const {key} = parseS3Location(path) ?? {key: ''}
          const objects = await session.s3.findAll(session, {...source, path})
          const data = objects.filter((object) => object.size > 0 && isData(object.key.slice(key.length)))
          const files = data.length === 0 ? [] : await session.s3.paths(session, data, {...source, path})
          return {partition, files}
        }),
      )),
    )
  return listed
}

async function listLocal(
  session: DuckDbSession,
  partitions: readonly CatalogPartition[],
): Promise<readonly FilesOfPartition[]> {
  const listed: FilesOfPartition[] = []
  for (let at = 0; at < partitions.length; at += most) {
    const some = partitions.slice(at, at + most)
    const folders = some.map(({location}) => localPath(location))
    const patterns = [...new Set(folders)].map((folder) => quoteText(`${escapeGlob(folder)}/**`))
    const rows = await session.rows(`SELECT DISTINCT file FROM glob([${patterns.join(', ')}]) ORDER BY file`)
    const files = rows.map(([file]) => file as string)
    for (const [index, partition] of some.entries()) {
      const folder = `${folders[index] ?? ''}/`
      listed.push({
        partition,
        files: files.filter((file) => file.startsWith(folder) && isData(file.slice(folder.length))),
      })
    }
  }
  return listed
}

function localPath(location: string): string {
  return location.startsWith('file:') ? fileURLToPath(location) : location
}

function isData(name: string): boolean {
  return !/(^|\/)[_.]/.test(name) && !name.endsWith('/') && !name.endsWith('_$folder$')
}
