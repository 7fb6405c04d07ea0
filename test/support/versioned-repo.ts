import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DuckDBInstance} from '@duckdb/node-api'
import {expect} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {runFs, runFsJson, type FsResult} from './run-fs.js'

const keysOfRead = 5000

/**
 * A repo of one view whose every row tells its version, so that a row which is torn, missing or old is seen. A version
 * changes the odd drivers; the even ones keep the first, so that rows which no later load brings back are missed.
 */
export class VersionedRepo implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'fs-versions-'))
  readonly #drivers: number

  private constructor(drivers: number) {
    this.#drivers = drivers
  }

  /** Applied, with the first version as its source and nothing loaded. `onlineStore` is its block in YAML. */
  static async create(onlineStore: string, drivers: number): Promise<VersionedRepo> {
    const repo = new VersionedRepo(drivers)
    writeFileSync(join(repo.folder, 'feature_store.yaml'), `project: rides\nonline_store: ${onlineStore}\n`)
    writeFileSync(
      join(repo.folder, 'features.yaml'),
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
    await repo.writeVersion(1)
    await runFsJson(['apply', '--yes', '-C', repo.folder])
    return repo
  }

  async writeVersion(version: number): Promise<void> {
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(
      `COPY (SELECT range AS driver_id, TIMESTAMP '2026-01-01' + to_hours(version::INT) AS event_timestamp,
         version, version / 2.0 AS half, 'v' || version || ' of ' || range AS label
       FROM (SELECT range, if(range % 2 = 1, ${version}, 1)::BIGINT AS version FROM range(${this.#drivers})))
       TO '${join(this.folder, 'stats.parquet')}' (FORMAT parquet)`,
    )
    connection.closeSync()
  }

  /** Loads what a version brought, by the command that users have on cron. */
  load(version: number): Promise<FsResult> {
    return runFs(this.loadCommand(version))
  }

  /** The arguments of `fs` for that. */
  loadCommand(version: number): readonly string[] {
    return ['materialize-incremental', endOf(version), '-C', this.folder, '--json']
  }

  /** Whether the store holds that version and no other, row by row, and the registry knows it. */
  async expectVersion(version: number): Promise<void> {
    expect(await this.status()).toMatchObject({
      covered: [{start: null, end: endOf(version)}],
      lost: false,
      loading: null,
    })
    await using store = await FeatureStore.open(this.folder)
    for (let first = 0; first < this.#drivers; first += keysOfRead) {
      const ids = Array.from({length: Math.min(keysOfRead, this.#drivers - first)}, (_, at) => first + at)
      expect(await readVersions(store, ids)).toEqual(
        ids.map((id) => rowOfVersion(id, id % 2 === 1 ? version : 1)),
      )
    }
  }

  /** What `fs status` tells about the view. */
  async status(): Promise<unknown> {
    const {views} = await runFsJson(['status', '-C', this.folder])
    return (views as readonly unknown[])[0]
  }

  /** How the runs ended, newest first. */
  async runs(): Promise<readonly string[]> {
    const {runs} = await runFsJson(['runs', 'list', '-C', this.folder])
    return (runs as readonly {readonly status: string}[]).map(({status}) => status)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, {recursive: true, force: true})
  }
}

function endOf(version: number): string {
  return `2026-01-01T${String(version).padStart(2, '0')}:00:00Z`
}

/** What is online of some drivers. */
export async function readVersions(
  store: FeatureStore,
  ids: readonly number[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await store.getOnlineFeatures({
    entities: ids.map((driver_id) => ({driver_id})),
    features: ['stats:version', 'stats:half', 'stats:label'],
  })
  return answer.toRows()
}

/** How a driver of that version reads. */
export function rowOfVersion(id: number, version: number): Readonly<Record<string, unknown>> {
  return {driver_id: BigInt(id), version: BigInt(version), half: version / 2, label: `v${version} of ${id}`}
}
