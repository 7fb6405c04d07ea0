import type {KeyType} from '../definitions/value-type.js'
import {castExactly} from './dialects/duckdb-casts.js'
import {quoteName, quoteText} from './dialects/duckdb-names.js'
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
    const quoted = quoteName(column)
    const {value, misfit} = castExactly(quoted, nativeTypeIn(this.#entityRows, column), valueType)
    const checked =
      misfit === undefined
        ? value
        : `CASE WHEN ${misfit} THEN ${raise('FS_ENTITY_KEY_INVALID', [
            quoteText(column),
            quoteText(valueType),
            `"frame:row"::VARCHAR`,
            `${quoted}::VARCHAR`,
          ])} ELSE ${value} END`
    this.#selected.push(`${checked} AS ${name}`)
  }
}

/** The engine's type of a column of the entity rows, which must be there. */
export function nativeTypeIn(source: EntityRelation, name: string): string {
  const column = source.columns.find((one) => one.name === name)
  if (column === undefined) throw new Error(`entity rows have no column ${name}: it was not checked`)
  return column.nativeType
}
