import {mkdtempSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'

/**
 * A new folder with a repo of one view, `stats` of `driver_id`, whose source is not written yet. `onlineStore` is its
 * block in YAML. Without a ttl rows live for ever.
 */
export function createStatsRepo(onlineStore: string, ttl?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fs-versions-'))
  writeFileSync(join(folder, 'feature_store.yaml'), `project: rides\nonline_store: ${onlineStore}\n`)
  writeFileSync(
    join(folder, 'features.yaml'),
    `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: stats_file
type: file
path: stats.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: stats
entities: [driver]
source: stats_file
${ttl === undefined ? '' : `ttl: ${ttl}\n`}schema: [{name: version, dtype: int64}, {name: half, dtype: float64}, {name: label, dtype: string}]
`,
  )
  return folder
}

/**
 * Puts a row for each driver, with ids from 0 on, in the place of the source's rows. All else follows from its version:
 * the features, and the event time, which is later for newer ones. `versionOf` is SQL of the driver's `id`.
 */
export async function writeStats(folder: string, drivers: number, versionOf: string): Promise<void> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT id AS driver_id, TIMESTAMP '2026-01-01' + to_hours(version::INT) AS event_timestamp,
       version, version / 2.0 AS half, 'v' || version || ' of ' || id AS label
     FROM (SELECT id, (${versionOf})::BIGINT AS version FROM (SELECT range AS id FROM range(${drivers}))))
     TO '${join(folder, 'stats.parquet')}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
}
