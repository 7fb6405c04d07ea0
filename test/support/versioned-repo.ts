import {rmSync} from 'node:fs'
import {expect} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {runFs, runFsJson, type FsResult} from './run-fs.js'
import {createStatsRepo, writeStats} from './stats-repo.js'

const keysOfRead = 5000

/**
 * A repo of one view whose every row tells its version, so that a row which is torn, missing or old is seen. A version
 * changes the odd drivers; the even ones keep the first, so that rows which no later load brings back are missed.
 */
export class VersionedRepo implements Disposable {
  readonly folder: string
  readonly #drivers: number

  /** Where the covered interval begins. */
  readonly #start: unknown

  private constructor(folder: string, drivers: number, start: unknown) {
    this.folder = folder
    this.#drivers = drivers
    this.#start = start
  }

  /** Applied, with the first version as its source and nothing loaded. `onlineStore` is its block in YAML. */
  static async create(onlineStore: string, drivers: number, ttl?: string): Promise<VersionedRepo> {
    const repo = new VersionedRepo(
      createStatsRepo(onlineStore, ttl),
      drivers,
      ttl === undefined ? null : (expect.any(String) as unknown),
    )
    await repo.writeVersion(1)
    await runFsJson(['apply', '--yes', '-C', repo.folder])
    return repo
  }

  writeVersion(version: number): Promise<void> {
    return writeStats(this.folder, this.#drivers, `if(id % 2 = 1, ${version}, 1)`)
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
      covered: [{start: this.#start, end: endOf(version)}],
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
