import {askedRowsOf, askedRowsQuery, columnsOfKey} from './asked-rows.js'
import {quoteName} from './dialects/duckdb-names.js'
import {duckDbFor} from './dialects/zoned-duckdb.js'
import {EntityKeys} from './entity-keys.js'
import {entityName, type EntityRelation} from './entity-relation.js'
import {compileEntityRows} from './entity-rows.js'
import {entityRow, entityTable} from './entity-table.js'
import {frameOutputs} from './frame-outputs.js'
import type {PointInTimeQuery} from './query.js'
import type {Relation, RelationScript} from './relations.js'
import {eventTimeTypeOf, type ReadableJoin} from './source-rows.js'
import type {SqlValues} from './sql-values.js'
import {compileViewMatches} from './view-matches.js'
import {entityKeysOf} from './view-rows.js'

/** The training frame in DuckDB: every column of the entity rows, then the outputs of each join, in their order. */
export function compilePointInTime(options: {
  readonly query: PointInTimeQuery
  readonly entityRows: EntityRelation
  readonly joins: readonly ReadableJoin[]
  readonly values: SqlValues
  /** Only the first rows. */
  readonly limit?: number | undefined
  /** The row of the script's facts, where it is known. */
  readonly facts?: readonly unknown[] | undefined
}): RelationScript {
  const {query, entityRows, values, limit, facts} = options
  const dialect = duckDbFor(options.joins.map(({join: {rows}, source}) => eventTimeTypeOf({rows, source})))
  const joins = options.joins.map(({join, source}): ReadableJoin => ({join, source: {...source, dialect}}))
  const keys = new EntityKeys(query, entityRows)
  const {timestampColumn} = query
  const entity: Relation = {
    name: entityTable,
    kept: 'table',
    sql: () => compileEntityRows({timestampColumn, entityRows, keys, values, dialect, limit}),
  }
  const keyLists = joins.map(({join}) => entityKeysOf(join, keys))
  const askedKeys = [...new Map(keyLists.map((columns) => [columnsOfKey(columns), columns])).values()]
  const asked = facts === undefined ? undefined : askedRowsOf(facts, askedKeys)
  const matches = compileViewMatches({query, joins, entity: keys, values, dialect, asked})
  return {
    facts: {after: entityTable, query: () => askedRowsQuery(dialect, askedKeys)},
    relations: [entity, ...matches.searches, ...matches.rows.map(withinStatement)],
    select: () => {
      const outputs = [
        ...entityRows.columns.map(({name}, index) => `entity.${entityName(index)} AS ${quoteName(name)}`),
        ...joins.flatMap(({join, source}, index) =>
          frameOutputs(join, source, (name) => `v${index}.${name}`),
        ),
      ]
      return `SELECT ${outputs.join(', ')}
FROM ${matches.from()}
ORDER BY entity.${entityRow}`
    },
  }
}

/** All rows are there when the last statement writes the first, so in tables they would only be there twice. */
function withinStatement(relation: Relation): Relation {
  return relation.kept === 'table' ? {...relation, kept: 'statement'} : relation
}
