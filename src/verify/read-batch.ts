import {valueAt} from '../definitions/column-batch.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import type {LatestBatch} from '../offline/offline-store.js'
import type {EntityKey} from '../online/online-store.js'
import type {ExpectedRow} from './judge-suspects.js'
import type {CheckedKey} from './key-check.js'

/** The rows of a batch as keys to check. */
export function readBatch(
  batch: LatestBatch,
  isExpectedRow: (row: ExpectedRow) => boolean,
): readonly CheckedKey[] {
  const {columns, eventTimestampIndex, featuresIndex} = batch
  const misfits = new Set(batch.misfits.map(({row}) => row))
  const values = (from: number, to: number | undefined, row: number): (Value | null)[] =>
    columns.slice(from, to).map((column) => valueAt(column, row))
  return Array.from({length: batch.rowCount}, (_, index) => {
    const [event, created] = values(eventTimestampIndex, featuresIndex, index)
    const row: ExpectedRow = {
      eventTimestamp: event as Instant,
      createdTimestamp: created as Instant | null,
      values: values(featuresIndex, undefined, index),
    }
    const isWanted = isExpectedRow(row)
    return {
      key: values(0, eventTimestampIndex, index) as EntityKey,
      expected: isWanted ? row : undefined,
      isMisfit: isWanted && misfits.has(index),
    }
  })
}
