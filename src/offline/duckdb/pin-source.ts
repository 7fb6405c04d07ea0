import type {DataSource, DeltaSource, IcebergSource} from '../../definitions/definition.js'
import type {PinnedSource} from '../offline-store.js'
import type {DuckDbSession} from './duckdb-session.js'
import {findGlueTable} from './find-glue-table.js'
import {resolveSnapshot} from './table-snapshot.js'

/** A source whose table keeps its snapshots, at the one that it means now; undefined for others. */
export async function pinSource(
  session: DuckDbSession,
  source: DataSource,
  repoDirectory: string,
): Promise<PinnedSource | undefined> {
  const table = await tableWithSnapshots(session, source)
  if (table === undefined) return undefined
  const found = await resolveSnapshot(session, table, repoDirectory)
  return {source: found.source, snapshot: found.name}
}

/** The table behind a source, where it keeps its snapshots. */
async function tableWithSnapshots(
  session: DuckDbSession,
  source: DataSource,
): Promise<DeltaSource | IcebergSource | undefined> {
  if (source.type === 'delta' || source.type === 'iceberg') return source
  if (source.type !== 'glue') return undefined
  const found = await findGlueTable(session, source)
  return 'source' in found ? found.source : undefined
}
