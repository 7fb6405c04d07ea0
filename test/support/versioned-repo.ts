import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import type {FeatureStore} from '../../src/feature-store.js'

/** A repo of one view whose rows tell by themselves whether they are whole: all features follow from the version. */
export class VersionedRepo implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'fs-versions-'))
  /** How many rows each version has, with ids from 0 on. */
  readonly drivers: number

  /** `onlineStore` as it stands in feature_store.yaml. */
  constructor(onlineStore: string, drivers: number) {
    this.drivers = drivers
    writeFileSync(join(this.folder, 'feature_store.yaml'), `project: rides\nonline_store: ${onlineStore}\n`)
    writeFileSync(
      join(this.folder, 'features.yaml'),
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
schema: [{name: version, dtype: int64}, {name: half, dtype: float64}, {name: label, dtype: string}]
`,
    )
  }

  /** Puts a version in the place of the source's rows; newer versions have later event times. */
  async writeVersion(version: number): Promise<void> {
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    await connection.run(
      `COPY (SELECT range AS driver_id, TIMESTAMP '2026-01-01' + to_hours(${version}) AS event_timestamp,
         ${version}::BIGINT AS version, ${version} / 2.0 AS half, 'v${version} of ' || range AS label
       FROM range(${this.drivers})) TO '${join(this.folder, 'stats.parquet')}' (FORMAT parquet)`,
    )
    connection.closeSync()
    instance.closeSync()
  }

  /** The versions of drivers, null where there is no row. Throws where a row is not whole. */
  async readVersions(store: FeatureStore, ids: readonly number[]): Promise<(number | null)[]> {
    const answer = await store.getOnlineFeatures({
      entities: ids.map((driver_id) => ({driver_id})),
      features: ['stats:version', 'stats:half', 'stats:label'],
    })
    return answer.toRows().map((row, index) => {
      if (row['version'] === null) return null
      const version = Number(row['version'])
      if (row['half'] !== version / 2 || row['label'] !== `v${version} of ${ids[index] as number}`)
        throw new Error(
          `a row is a mixture: ${ids[index] as number}, v${version}, ${row['half'] as number}, ${row['label'] as string}`,
        )
      return version
    })
  }

  /** All versions that the store holds. */
  async readAllVersions(store: FeatureStore): Promise<ReadonlySet<number | null>> {
    const all = new Set<number | null>()
    for (let start = 0; start < this.drivers; start += 5000) {
      const ids = Array.from({length: Math.min(5000, this.drivers - start)}, (_, at) => start + at)
      for (const version of await this.readVersions(store, ids)) all.add(version)
    }
    return all
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, {recursive: true, force: true})
  }
}
