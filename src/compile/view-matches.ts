import type {AskedRows} from './asked-rows.js'
import type {Dialect} from './dialect.js'
import {entityTable, type EntityTable} from './entity-table.js'
import type {PointInTimeQuery} from './query.js'
import type {Relation} from './relations.js'
import type {ReadableJoin} from './source-rows.js'
import type {SqlValues} from './sql-values.js'
import {ViewPart} from './view-part.js'

export interface ViewMatches {
  /** They find for each entity row the event time of each view's row; they build on `entityTable`. */
  readonly searches: readonly Relation[]
  /** The rows of those times, all of which the last statement reads. */
  readonly rows: readonly Relation[]
  /** What a statement reads: each entity row once, as `entity`, with the row of each view beside it, as `v0`, `v1`, … */
  readonly from: () => string
}

/**
 * The row of each view that fits each entity row. For each view the event time of that row is found by keys and times
 * alone, a semi-join brings the rows of just those keys and times, and ties are settled among them: features never travel
 * through the search.
 */
export function compileViewMatches({
  query,
  joins,
  entity,
  values,
  dialect,
  asked,
}: {
  readonly query: PointInTimeQuery
  readonly joins: readonly ReadableJoin[]
  readonly entity: EntityTable
  readonly values: SqlValues
  readonly dialect: Dialect
  /** What is known of the entity rows by then. */
  readonly asked?: AskedRows | undefined
}): ViewMatches {
  const views = joins.map(
    ({join, source}, index) => new ViewPart({join, source, index, query, entity, values, dialect, asked}),
  )
  const searches = dialect.searchesOneByOne ? views.map((view) => [view]) : [views]
  const nameOf = (search: number): string =>
    search === searches.length ? '"frame.times"' : search === 0 ? entityTable : `"frame.times${search}"`
  const times = searches.map((some, search): Relation => ({
    name: nameOf(search + 1),
    kept: 'table',
    sql: () => `SELECT entity.*${some.map((view) => `, ${view.foundTime()}`).join('')}
  FROM ${some.reduce((left, view) => view.joinAsOf(left, nameOf(search)), `${nameOf(search)} AS entity`)}`,
  }))
  return {
    searches: [...views.flatMap((view) => view.timeRelations()), ...times],
    rows: views.flatMap((view) => view.rowRelations()),
    from: () => ['"frame.times" AS entity', ...views.map((view) => view.joinChosen())].join('\n'),
  }
}
