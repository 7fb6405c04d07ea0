import {valueAt} from '../definitions/column-batch.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import type {EntityKey, OnlineRows, OnlineStore, OnlineTable, WriteResult} from '../online/online-store.js'

const size = 1000

/** Some of the rows that were written, each as likely as any other (Vitter, "Random sampling with a reservoir", 1985). */
export class WrittenSample {
  readonly #rows: {readonly key: EntityKey; readonly event: Instant}[] = []
  #seen = 0

  /** Without those that the store rejected. */
  add(rows: OnlineRows, rejected: WriteResult['rejected']): void {
    const left = new Set(rejected.map(({row}) => row))
    for (let row = 0; row < rows.rowCount; row += 1) {
      if (left.has(row)) continue
      const place = this.#seen < size ? this.#seen : Math.floor(Math.random() * (this.#seen + 1))
      this.#seen += 1
      if (place >= size) continue
      const key = rows.keys.map((column) => valueAt(column, row) as Value)
      this.#rows[place] = {key, event: rows.eventTimestamps.values[row] as bigint}
    }
  }

  /** Reads them back. Throws FS_LOAD_NOT_VERIFIED where one is not as it was written. */
  async check(online: OnlineStore, table: OnlineTable): Promise<void> {
    if (this.#rows.length === 0) return
    const keys = this.#rows.map(({key}) => key)
    const features = table.features.slice(0, 1).map(({name}) => name)
    const [found = []] = await online.read([{table, keys, features}])
    const wrong = this.#rows.filter(({event}, index) => found[index]?.eventTimestamp !== event)
    if (wrong.length === 0) return
    const shown = wrong
      .slice(0, 3)
      .map(({key}) => `(${key.map(String).join(', ')})`)
      .join(', ')
    throw new FeatureStoreError(
      'FS_LOAD_NOT_VERIFIED',
      `Of ${this.#rows.length} rows that were written and read back, ${wrong.length} are not online as they were written, for example ${shown}.`,
      {
        hint: 'Run it again: it compares with the same state as before. If it stays, see `fs verify` and who else writes to the store.',
      },
    )
  }
}
