import {valueAt} from '../definitions/column-batch.js'
import type {Value} from '../definitions/value-type.js'
import type {EntityKey, OnlineRows} from '../online/online-store.js'

/** The key of a row. */
export function keyAt({keys}: Pick<OnlineRows, 'keys'>, row: number): EntityKey {
  return keys.map((column) => valueAt(column, row) as Value)
}
