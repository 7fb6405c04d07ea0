/** The rows that a training frame is for, as a relation of keys and times: what views are joined to, in any engine. */
import type {KeyType} from '../definitions/value-type.js'

export const entityTable = '"frame.entity"'
/** 1, 2, … in the order of the entity rows. */
export const entityRow = '"frame.row"'
/** An instant, as the dialect has them; never null. */
export const entityTime = '"frame.time"'
/** Keys in the types that views declare, where the columns of the entity rows have others: the first, the second, … */
export const entityKey = (index: number): string => `"frame.key${index}"`

/** The entity rows as a relation whose columns of keys can be asked for. */
export interface EntityTable {
  /** The name of the column with the values of `column`, a column of the entity rows, as `type`. */
  keyOf(column: string, type: KeyType): string
}
