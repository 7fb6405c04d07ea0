import {castToInstant} from './dialects/duckdb-casts.js'
import {quoteName, quoteText} from './dialects/duckdb-names.js'
import {EntityKeys, entityColumn, entityName} from './entity-keys.js'
import type {PointInTimeQuery} from './query.js'
import type {Relation, RelationScript} from './relations.js'
import {raise, type EntityRelation, type ReadableJoin} from './source-rows.js'
import type {SqlValues} from './sql-values.js'
import {ViewPart} from './view-part.js'

/**
 * The training frame: every column of the entity rows, then the outputs of each join, in the order of the entity rows.
 * For each view ASOF finds the event time of the row, a semi-join brings the rows of just those keys and times, ties are
 * settled among them, and one sort puts everything in order. Features never travel through ASOF.
 */
export function compilePointInTime(options: {
  readonly query: PointInTimeQuery
  readonly entityRows: EntityRelation
  readonly joins: readonly ReadableJoin[]
  readonly values: SqlValues
  /** Only the first rows. */
  readonly limit?: number
}): RelationScript {
  const {query, entityRows, joins, values, limit} = options
  const keys = new EntityKeys(query, entityRows)
  const views = joins.map(({join, source}, index) => new ViewPart(join, source, index, query, keys, values))
  const own = entityRows.columns.map(({name}, index) => `${quoteName(name)} AS ${entityName(index)}`)
  const entity: Relation = {
    name: '"frame:entity"',
    kept: false,
    sql: () => `SELECT *, ${entityTime(query.timestampColumn, entityRows)} AS "frame:time"${keys.select()}
  FROM (SELECT row_number() OVER () AS "frame:row", ${own.join(', ')} FROM ${entityRows.write(values)} AS entity_rows${
    limit === undefined ? '' : ` LIMIT ${values.integer(BigInt(limit))}`
  })`,
  }
  const times: Relation = {
    name: '"frame:times"',
    kept: true,
    sql: () => `SELECT entity.*${views.map((view) => `, ${view.foundTime()}`).join('')}
  FROM ${views.reduce((left, view) => view.joinAsOf(left), '"frame:entity" AS entity')}`,
  }
  return {
    relations: [
      entity,
      ...views.flatMap((view) => view.timeRelations()),
      times,
      ...views.flatMap((view) => view.rowRelations()),
    ],
    select: () => {
      const outputs = [
        ...entityRows.columns.map(({name}, index) => `entity.${entityName(index)} AS ${quoteName(name)}`),
        ...views.flatMap((view) => view.outputs()),
      ]
      return `SELECT ${outputs.join(', ')}
FROM "frame:times" AS entity
${views.map((view) => view.joinChosen()).join('\n')}
ORDER BY entity."frame:row"`
    },
  }
}

function entityTime(column: string, entityRows: EntityRelation): string {
  const {name, nativeType} = entityColumn(entityRows, column)
  const {value, misfit} = castToInstant(name, nativeType)
  const row = `"frame:row"::VARCHAR`
  const missing = `WHEN ${name} IS NULL THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, quoteText('')])}`
  const unfit =
    misfit === undefined
      ? ''
      : ` WHEN ${misfit} THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, `${name}::VARCHAR`])}`
  return `CASE ${missing}${unfit} ELSE ${value} END`
}
