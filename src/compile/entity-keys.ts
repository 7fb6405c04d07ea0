import type {KeyType} from '../definitions/value-type.js'
import {castExactly} from './dialects/duckdb-casts.js'
import {quoteText} from './dialects/duckdb-names.js'
import type {PointInTimeQuery} from './query.js'
import {raise, type EntityRelation} from './source-rows.js'

/** The key columns of the entity rows in the types that the views declare, each computed once. */
export class EntityKeys {
  readonly #names = new Map<string, string>()
  readonly #selected: string[] = []
  readonly #entityRows: EntityRelation

  constructor(query: PointInTimeQuery, entityRows: EntityRelation) {
    this.#entityRows = entityRows
    for (const join of query.joins) {
      join.entityColumns.forEach((column, index) => {
        this.#add(column, join.rows.keys[index]?.valueType as KeyType)
      })
    }
  }

  select(): string {
    return this.#selected.map((column) => `, ${column}`).join('')
  }

  nameOf(column: string, valueType: KeyType): string {
    return this.#names.get(`${valueType} ${column}`) as string
  }

  #add(column: string, valueType: KeyType): void {
    const id = `${valueType} ${column}`
    if (this.#names.has(id)) return
    const name = `"frame:key${this.#names.size}"`
    this.#names.set(id, name)
    const {name: given, nativeType} = entityColumn(this.#entityRows, column)
    const {value, misfit} = castExactly(given, nativeType, valueType)
    const checked =
      misfit === undefined
        ? value
        : `CASE WHEN ${misfit} THEN ${raise('FS_ENTITY_KEY_INVALID', [
            quoteText(column),
            quoteText(valueType),
            `"frame:row"::VARCHAR`,
            `${given}::VARCHAR`,
          ])} ELSE ${value} END`
    this.#selected.push(`${checked} AS ${name}`)
  }
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
