/** Entity rows of any kind at home, where they are numbered, checked and cast; those of SQL and intervals come from the warehouse. */
import type {EntityRelation} from '../../compile/entity-relation.js'
import {compileIntervalRows, intervalColumns, keyTypes} from '../../compile/interval-rows.js'
import {quoteName as quoteHome} from '../../compile/dialects/duckdb-names.js'
import {nativeTypeOf} from '../../compile/dialects/duckdb-types.js'
import {keyTravel} from '../../compile/dialects/redshift-keys.js'
import {quoteName} from '../../compile/dialects/redshift-names.js'
import {microseconds} from '../../compile/dialects/redshift-types.js'
import {redshift} from '../../compile/dialects/redshift.js'
import type {EntityRows, KeyColumn, PointInTimeQuery} from '../../compile/query.js'
import type {ReadableJoin} from '../../compile/source-rows.js'
import {literalValues} from '../../compile/sql-values.js'
import type {DuckDbSession} from '../duckdb/duckdb-session.js'
import {entityRelation} from '../duckdb/entity-relation.js'
import {columnTravel} from './home-rows.js'
import type {StagingArea} from './staging-area.js'
import {queryRelation} from './warehouse-source.js'
import type {WarehouseSession} from './warehouse-session.js'

export interface WarehouseEntities {
  readonly columns: EntityRelation['columns']
  /** The rows, once; later calls give the same. Call it within a transaction of the session. */
  fetch(session: WarehouseSession): Promise<EntityRelation>
}

/** Reads no more than it must to know the columns. */
export async function warehouseEntities(options: {
  readonly home: DuckDbSession
  readonly session: WarehouseSession
  readonly staging: StagingArea
  readonly query: PointInTimeQuery
  readonly joins: readonly ReadableJoin[]
  readonly repoDirectory: string
}): Promise<WarehouseEntities> {
  const {home, session, staging, query, joins, repoDirectory} = options
  const {entityRows} = query
  switch (entityRows.kind) {
    case 'file':
    case 'values': {
      const relation = await entityRelation(home, query, [], repoDirectory)
      return {columns: relation.columns, fetch: () => Promise.resolve(relation)}
    }
    case 'sql':
      return fetched(staging, await sqlRows(session, entityRows))
    case 'interval':
      return fetched(staging, intervalRows({...query, entityRows}, joins))
    default:
      return entityRows satisfies never
  }
}

/** What is unloaded, in order, and what becomes of each column, named `c0`, `c1`, …, at home. */
interface Unloaded {
  readonly select: string
  readonly columns: readonly {
    readonly name: string
    readonly nativeType: string
    readonly received: (column: string) => string
  }[]
}

function fetched(staging: StagingArea, {select, columns}: Unloaded): WarehouseEntities {
  let relation: Promise<EntityRelation> | undefined
  const fetch = async (session: WarehouseSession): Promise<EntityRelation> => {
    const files = await staging.fetch(await staging.unload(session, select, 'kept'))
    const selected = columns.map(
      ({name, received}, index) => `${received(`c${index}`)} AS ${quoteHome(name)}`,
    )
    const sql = `(SELECT ${selected.join(', ')} FROM ${files})`
    return {columns, write: () => sql}
  }
  return {columns, fetch: (session) => (relation ??= fetch(session))}
}

async function sqlRows(
  session: WarehouseSession,
  {sql, inputs}: Extract<EntityRows, {kind: 'sql'}>,
): Promise<Unloaded> {
  const relation = await queryRelation(session, sql, inputs, 'The SQL of the entity rows')
  const described = await session.describe(`SELECT * FROM ${relation} AS entity_rows`)
  const travels = described.map(({name, nativeType}) => ({name, travel: columnTravel(name, nativeType)}))
  const sent = travels.map(({name, travel}, index) => `${travel.sent(quoteName(name))} AS c${index}`)
  return {
    select: `SELECT ${sent.join(', ')} FROM ${relation} AS entity_rows`,
    columns: travels.map(({name, travel}) => ({name, nativeType: travel.native, received: travel.received})),
  }
}

function intervalRows(
  query: PointInTimeQuery & {readonly entityRows: Extract<EntityRows, {kind: 'interval'}>},
  joins: readonly ReadableJoin[],
): Unloaded {
  const types = keyTypes(query)
  const columns = [
    ...intervalColumns(query).map((name) => {
      const type = types.get(name) as KeyColumn['valueType']
      return {name, nativeType: nativeTypeOf(type), ...keyTravel(type)}
    }),
    {
      name: query.timestampColumn,
      nativeType: 'TIMESTAMP',
      sent: microseconds,
      received: (column: string) => `make_timestamp(${column}::BIGINT)`,
    },
  ]
  const rows = compileIntervalRows(query, joins, redshift, literalValues)
  const order = [columns.at(-1), ...columns.slice(0, -1)].flatMap((column) =>
    column === undefined ? [] : [redshift.ascending(quoteName(column.name))],
  )
  const sent = columns.map(({name, sent: write}, index) => `${write(quoteName(name))} AS c${index}`)
  return {
    select: `SELECT ${sent.join(', ')} FROM ${rows} AS interval_rows ORDER BY ${order.join(', ')}`,
    columns,
  }
}
