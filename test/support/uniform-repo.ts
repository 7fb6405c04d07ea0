import {rmSync} from 'node:fs'
import type {FeatureStore} from '../../src/feature-store.js'
import {createStatsRepo, writeStats} from './stats-repo.js'

/** A repo of one view whose rows tell by themselves whether they are whole: all features follow from the version. */
export class UniformRepo implements Disposable {
  readonly folder: string
  /** How many rows each version has, with ids from 0 on. */
  readonly drivers: number

  /** `onlineStore` as it stands in feature_store.yaml. */
  constructor(onlineStore: string, drivers: number) {
    this.drivers = drivers
    this.folder = createStatsRepo(onlineStore)
  }

  /** Puts a version in the place of the source's rows; newer versions have later event times. */
  writeVersion(version: number): Promise<void> {
    return writeStats(this.folder, this.drivers, String(version))
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
