import {setTimeout as sleep} from 'node:timers/promises'
import {isDeepStrictEqual} from 'node:util'
import {valueAt} from '../definitions/column-batch.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import type {EntityKey, OnlineRows, OnlineStore, OnlineTable, WriteResult} from '../online/online-store.js'
import {keyAt} from './key-at.js'

const size = 1000
const firstPauseMillis = 50
const longestPauseMillis = 3200

interface WrittenRow {
  readonly key: EntityKey
  readonly event: Instant
  readonly values: readonly (Value | null)[]
}

/** Some of the rows that were written, each as likely as any other (Vitter, "Random sampling with a reservoir", 1985). */
export class WrittenSample {
  readonly #rows: WrittenRow[] = []
  #seen = 0

  /** Without those that the store rejected. */
  add(rows: OnlineRows, rejected: WriteResult['rejected']): void {
    const left = new Set(rejected.map(({row}) => row))
    for (let row = 0; row < rows.rowCount; row += 1) {
      if (left.has(row)) continue
      const place = this.#seen < size ? this.#seen : Math.floor(Math.random() * (this.#seen + 1))
      this.#seen += 1
      if (place >= size) continue
      const key = keyAt(rows, row)
      const values = rows.features.map((column) => valueAt(column, row))
      this.#rows[place] = {key, event: rows.eventTimestamps.values[row] as bigint, values}
    }
  }

  /** Reads them back. Throws FS_LOAD_NOT_VERIFIED where one is not as it was written. */
  async check(online: OnlineStore, table: OnlineTable): Promise<void> {
    if (this.#rows.length === 0) return
    let wrong: readonly WrittenRow[] = this.#rows
    for (let pause = firstPauseMillis; wrong.length > 0 && pause <= longestPauseMillis; pause *= 4) {
      wrong = await notAsWritten(online, table, wrong)
      // A replica may lag behind those that acknowledged.
      if (wrong.length > 0) await sleep(pause)
    }
    if (wrong.length === 0) return
    const shown = wrong
      .slice(0, 3)
      .map(({key}) => `(${key.map(String).join(', ')})`)
      .join(', ')
    throw new FeatureStoreError(
      'FS_LOAD_NOT_VERIFIED',
      `Of ${this.#rows.length} rows that were written and read back, ${wrong.length} are not online as they were written, for example ${shown}.`,
      {
        hint: 'Run it again: it compares with all that may be online. If it stays, see `fs verify` and who else writes to the store.',
      },
    )
  }
}

async function notAsWritten(
  online: OnlineStore,
  table: OnlineTable,
  rows: readonly WrittenRow[],
): Promise<readonly WrittenRow[]> {
  const features = table.features.map(({name}) => name)
  const [found = []] = await online.read([{table, keys: rows.map(({key}) => key), features}])
  return rows.filter(
    ({event, values}, index) =>
      found[index]?.eventTimestamp !== event || !isDeepStrictEqual(found[index]?.values, values),
  )
}
