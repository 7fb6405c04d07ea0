import type {KeyType} from '../definitions/value-type.js'
import {castExactly} from './dialects/duckdb-casts.js'
import {quoteText} from './dialects/duckdb-names.js'
import {entityColumn, type EntityRelation} from './entity-relation.js'
import {entityKey, entityRow, type EntityTable} from './entity-table.js'
import type {PointInTimeQuery} from './query.js'
import {raise} from './raise.js'

export interface EntityKey {
  /** Of `entityKey`, or of the entity rows' own column where that has the type. */
  readonly name: string
  readonly type: KeyType
  /** In DuckDB; it fails for a value that doesn't fit. */
  readonly expression: string
}

/** The key columns of the entity rows in the types that the views declare, each computed once. */
export class EntityKeys implements EntityTable {
  readonly #keys = new Map<string, EntityKey>()
  readonly #entityRows: EntityRelation

  constructor(query: PointInTimeQuery, entityRows: EntityRelation) {
    this.#entityRows = entityRows
    for (const join of query.joins) {
      join.entityColumns.forEach((column, index) => {
        this.#add(column, join.rows.keys[index]?.valueType as KeyType)
      })
    }
  }

  get all(): readonly EntityKey[] {
    return [...this.#keys.values()]
  }

  keyOf(column: string, type: KeyType): string {
    return (this.#keys.get(`${type} ${column}`) as EntityKey).name
  }

  #add(column: string, type: KeyType): void {
    const id = `${type} ${column}`
    if (this.#keys.has(id)) return
    const {name: given, nativeType} = entityColumn(this.#entityRows, column)
    const {value, misfit} = castExactly(given, nativeType, type)
    const expression =
      misfit === undefined
        ? value
        : `CASE WHEN ${misfit} THEN ${raise('FS_ENTITY_KEY_INVALID', [
            quoteText(column),
            quoteText(type),
            `${entityRow}::VARCHAR`,
            `${given}::VARCHAR`,
          ])} ELSE ${value} END`
    const name = expression === given ? given : entityKey(this.#keys.size)
    this.#keys.set(id, {name, type, expression})
  }
}
