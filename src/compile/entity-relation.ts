import type {ReadableSource} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** The entity rows in DuckDB, as a relation whose text is written where it is needed. */
export interface EntityRelation {
  readonly columns: ReadableSource['columns']
  readonly write: (values: SqlValues) => string
}

/** A column of the entity rows, which must be there, by its name within the frame: no user's name stands there. */
export function entityColumn(
  {columns}: Pick<EntityRelation, 'columns'>,
  name: string,
): {readonly name: string; readonly nativeType: string} {
  const index = columns.findIndex((one) => one.name === name)
  const column = columns[index]
  if (column === undefined) throw new Error(`entity rows have no column ${name}: it was not checked`)
  return {name: entityName(index), nativeType: column.nativeType}
}

export const entityName = (index: number): string => `e${index}`
