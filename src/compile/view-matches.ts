import {columnsOfKey, type AskedRows} from './asked-rows.js'
import type {Dialect} from './dialect.js'
import {entityTable, type EntityTable} from './entity-table.js'
import {MetView} from './met-view.js'
import type {PointInTimeQuery} from './query.js'
import type {Relation} from './relations.js'
import {SoughtView} from './sought-view.js'
import type {ReadableJoin} from './source-rows.js'
import type {SqlValues} from './sql-values.js'
import {ViewRows} from './view-rows.js'

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
 * alone, a join brings the rows of just those keys and times, and ties are settled among them: features never travel
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
  const context = {query, entity, values, dialect, asked}
  const views = joins.map((join, index) => {
    const rows = new ViewRows(join, index, context)
    return mayBeMet(rows, asked) ? new MetView(rows, context) : new SoughtView(rows, context)
  })
  const met = views.filter((view) => view instanceof MetView)
  const sought = views.filter((view) => view instanceof SoughtView)
  const searches = dialect.searchesOneByOne ? sought.map((view) => [view]) : [sought]
  const nameOf = (search: number): string =>
    search === 0 ? entityTable : search === searches.length ? '"frame.times"' : `"frame.times${search}"`
  const times = searches.map((some, search): Relation => ({
    name: nameOf(search + 1),
    kept: 'table',
    sql: () => `SELECT entity.*${some.map((view) => `, ${view.foundTime()}`).join('')}
  FROM ${some.reduce((left, view) => view.joinAsOf(left, nameOf(search)), `${nameOf(search)} AS entity`)}`,
  }))
  return {
    searches: [
      ...met.map((view) => view.askedRelation()).filter(isFirstOfItsName),
      ...met.map((view) => view.foundRelation()),
      ...sought.flatMap((view) => view.timeRelations()),
      ...times,
    ],
    rows: views.flatMap((view) => view.rowRelations()),
    from: () =>
      [`${nameOf(searches.length)} AS entity`, ...views.map((view) => view.joinChosen())].join('\n'),
  }
}

/** Not where many entity rows have the same keys, nor where rows count from the later of two times on. */
function mayBeMet({join, entityKeys}: ViewRows, asked: AskedRows | undefined): boolean {
  return !join.knowledgeTime && asked?.seldomShared.has(columnsOfKey(entityKeys)) === true
}

function isFirstOfItsName({name}: Relation, index: number, all: readonly Relation[]): boolean {
  return all.findIndex((one) => one.name === name) === index
}
