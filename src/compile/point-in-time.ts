import {FeatureStoreError} from '../errors.js'
import type {KeyType} from '../definitions/value-type.js'
import {asOfJoin} from './dialects/duckdb-as-of.js'
import {castExactly, castToInstant} from './dialects/duckdb-casts.js'
import {quoteName, quoteText} from './dialects/duckdb-names.js'
import type {PointInTimeQuery, ViewJoin} from './query.js'
import {equalColumns, settleTies} from './settle-ties.js'
import {
  checkedFeatures,
  featureName,
  instantValue,
  keyName,
  misfitName,
  raise,
  typedRows,
  type ReadableRows,
  type ReadableSource,
} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/** A view's part of the query with its source in reach. */
export interface ReadableJoin {
  readonly join: ViewJoin
  readonly source: ReadableSource
}

/**
 * The training frame: every column of the entity rows, then the outputs of each join, in the order of the entity rows.
 * For each view ASOF finds the event time of the row, a semi-join brings the rows of just those keys and times, ties are
 * settled among them, and one sort puts everything in order. Features never travel through ASOF.
 */
export function compilePointInTime(options: {
  readonly query: PointInTimeQuery
  readonly entityRows: ReadableSource
  readonly joins: readonly ReadableJoin[]
  readonly values: SqlValues
  /** Only the first rows. */
  readonly limit?: number
}): string {
  const {query, entityRows, joins, values, limit} = options
  const keys = new EntityKeys(query, entityRows)
  const views = joins.map(({join, source}, index) => new ViewPart(join, source, index, query, keys, values))
  const entity = `"frame:entity" AS NOT MATERIALIZED (
  SELECT *, ${entityTime(query.timestampColumn, entityRows)} AS "frame:time"${keys.select()}
  FROM (SELECT row_number() OVER () AS "frame:row", * FROM ${entityRows.relation} AS entity_rows${
    limit === undefined ? '' : ` LIMIT ${values.integer(BigInt(limit))}`
  })
)`
  const times = `"frame:times" AS MATERIALIZED (
  SELECT entity.*${views.map((view) => `, ${view.foundTime()}`).join('')}
  FROM ${views.reduce((left, view) => view.joinAsOf(left), '"frame:entity" AS entity')}
)`
  const outputs = [
    ...entityRows.columns.map(({name}) => `entity.${quoteName(name)}`),
    ...views.flatMap((view) => view.outputs()),
  ]
  return `WITH ${[entity, ...views.flatMap((view) => view.timeCtes()), times, ...views.flatMap((view) => view.rowCtes())].join(',\n')}
SELECT ${outputs.join(', ')}
FROM "frame:times" AS entity
${views.map((view) => view.joinChosen()).join('\n')}
ORDER BY entity."frame:row"`
}

/** Every distinct (keys, event time) of the joined views' rows in an interval, ordered by time, then keys. */
export function compileIntervalRows(
  query: PointInTimeQuery & {readonly entityRows: {readonly kind: 'interval'}},
  joins: readonly ReadableJoin[],
  values: SqlValues,
): string {
  const columns = intervalColumns(query)
  const {start, end} = query.entityRows.interval
  const parts = joins.map(({join, source}) => {
    const selected = columns.map((column) => {
      const index = join.entityColumns.indexOf(column)
      return `${index === -1 ? 'NULL' : keyName(index)} AS ${quoteName(column)}`
    })
    const known = query.asKnownAt === undefined ? '' : ` AND c <= ${instantValue(query.asKnownAt, values)}`
    const after = start === null ? '' : ` AND t > ${instantValue(start, values)}`
    const present = join.entityColumns.map((_, index) => `${keyName(index)} IS NOT NULL`).join(' AND ')
    return `SELECT ${selected.join(', ')}, t AS ${quoteName(query.timestampColumn)} FROM ${typedRows({rows: join.rows, source}, [])}
    WHERE ${present} AND t <= ${instantValue(end, values)}${after}${known}`
  })
  const order = [query.timestampColumn, ...columns].map((name) => `${quoteName(name)} NULLS FIRST`)
  return `(${parts.join('\n  UNION\n  ')}\n  ORDER BY ${order.join(', ')})`
}

/** Key columns of interval entity rows: those of the views, in order, each once. */
export function intervalColumns(query: PointInTimeQuery): readonly string[] {
  return [...new Set(query.joins.flatMap((join) => join.entityColumns))]
}

function entityTime(column: string, entityRows: ReadableSource): string {
  const native = nativeTypeIn(entityRows, column)
  const name = quoteName(column)
  const {value, misfit} = castToInstant(name, native)
  const row = `"frame:row"::VARCHAR`
  const missing = `WHEN ${name} IS NULL THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, quoteText('')])}`
  const unfit =
    misfit === undefined
      ? ''
      : ` WHEN ${misfit} THEN ${raise('FS_ENTITY_ROWS_INVALID', [quoteText(column), row, `${name}::VARCHAR`])}`
  return `CASE ${missing}${unfit} ELSE ${value} END`
}

/** The key columns of the entity rows in the types that the views declare, each computed once. */
class EntityKeys {
  readonly #names = new Map<string, string>()
  readonly #selected: string[] = []
  readonly #entityRows: ReadableSource

  constructor(query: PointInTimeQuery, entityRows: ReadableSource) {
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

/** One view's CTEs and joins. Its relations are named `v<index>:…`. */
class ViewPart {
  readonly #join: ViewJoin
  readonly #readable: ReadableRows
  readonly #index: number
  readonly #query: PointInTimeQuery
  readonly #values: SqlValues
  readonly #entityKeys: readonly string[]
  readonly #keys: readonly string[]
  /** What identifies the rows that tie: with knowledge time the created time is known too. */
  readonly #pair: readonly string[]

  constructor(
    join: ViewJoin,
    source: ReadableSource,
    index: number,
    query: PointInTimeQuery,
    keys: EntityKeys,
    values: SqlValues,
  ) {
    this.#join = join
    this.#readable = {rows: join.rows, source}
    this.#index = index
    this.#query = query
    this.#values = values
    this.#keys = join.rows.keys.map((_, key) => keyName(key))
    this.#entityKeys = join.rows.keys.map(({valueType}, key) =>
      keys.nameOf(join.entityColumns[key] as string, valueType),
    )
    this.#pair = join.knowledgeTime ? [...this.#keys, 't', 'c'] : [...this.#keys, 't']
    this.#checkCreated()
  }

  /** Keys and times that ASOF looks through. */
  timeCtes(): readonly string[] {
    const keys = this.#keys.join(', ')
    if (!this.#join.knowledgeTime) {
      return [
        `${this.#name('times')} AS NOT MATERIALIZED (SELECT ${keys}, t AS known, t FROM ${this.#rows([])})`,
      ]
    }
    // A row is known from the later of its two times on. The best of all rows known by then has the largest (t, c): so
    // each row carries the best up to itself, and one ASOF over the time of knowledge finds it.
    return [
      `${this.#name('times')} AS NOT MATERIALIZED (
  SELECT ${keys}, known, best.t AS t, best.c AS c FROM (
    SELECT ${keys}, greatest(t, c) AS known, max({'t': t, 'c': c}) OVER (
      PARTITION BY ${keys} ORDER BY greatest(t, c) RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS best FROM ${this.#rows([])} WHERE c IS NOT NULL
  )
)`,
    ]
  }

  joinAsOf(left: string): string {
    return asOfJoin({
      left,
      leftKeys: this.#entityKeys.map((key) => `entity.${key}`),
      leftTime: 'entity."frame:time"',
      right: this.#name('times'),
      rightAlias: `v${this.#index}`,
      rightKeys: this.#keys,
      rightTime: 'known',
    })
  }

  /** The event time found, unless it is expired. */
  foundTime(): string {
    const alias = `v${this.#index}`
    const {ttl} = this.#join
    const alive =
      ttl === undefined
        ? 'true'
        : `${alias}.t >= entity."frame:time" - to_microseconds(${this.#values.integer(ttl)})`
    const time = `CASE WHEN ${alive} THEN ${alias}.t END AS "frame:${alias}t"`
    return this.#join.knowledgeTime ? `${time}, ${alias}.c AS "frame:${alias}c"` : time
  }

  /** The rows of just those keys and times, one for each. */
  rowCtes(): readonly string[] {
    const alias = `v${this.#index}`
    const wanted = this.#name('wanted')
    const candidates = this.#name('candidates')
    const used = this.#usedFeatures()
    const all = used.length === this.#join.rows.features.length
    const found = this.#keys.map((key, index) => `${this.#entityKeys[index] ?? ''} AS ${key}`)
    const times = this.#pair.slice(this.#keys.length).map((time) => `"frame:${alias}${time}" AS ${time}`)
    const semiJoined = (features: ViewJoin['rows']['features']): string =>
      `(SELECT one.* FROM ${this.#rows(features)} AS one SEMI JOIN ${wanted} AS wanted ON ${equalColumns('one', 'wanted', this.#pair)})`
    const settled = settleTies({
      prefix: alias,
      candidates,
      ranked: all ? candidates : this.#rows(this.#join.rows.features),
      by: this.#pair,
      columns: [...this.#pair, ...this.#usedColumns()],
      readable: this.#readable,
    })
    return [
      `${wanted} AS MATERIALIZED (SELECT DISTINCT ${[...found, ...times].join(', ')} FROM "frame:times" WHERE "frame:${alias}t" IS NOT NULL)`,
      `${candidates} AS MATERIALIZED ${semiJoined(used)}`,
      ...settled.ctes,
    ]
  }

  joinChosen(): string {
    const alias = `v${this.#index}`
    const equal = [
      ...this.#keys.map((key, index) => `entity.${this.#entityKeys[index] ?? ''} = ${alias}.${key}`),
      ...this.#pair
        .slice(this.#keys.length)
        .map((time) => `entity."frame:${alias}${time}" = ${alias}.${time}`),
    ]
    return `LEFT JOIN "${alias}:chosen" AS ${alias} ON ${equal.join(' AND ')}`
  }

  outputs(): readonly string[] {
    const alias = `v${this.#index}`
    const unfit = checkedFeatures(this.#readable)
    const {rows} = this.#join
    const key = `concat_ws(', ', ${rows.keys.map(({name}, index) => `${quoteText(`${name}=`)} || ${alias}.${this.#keys[index] ?? ''}::VARCHAR`).join(', ')})`
    return this.#join.outputs.map(({feature, as}) => {
      const index = rows.features.findIndex((one) => one.name === feature)
      const value = this.#inOwnType(feature, `${alias}.${featureName(index)}`)
      if (!unfit.has(index)) return `${value} AS ${quoteName(as)}`
      const misfit = `${alias}.${misfitName(index)}`
      const raised = raise('FS_VALUE_OUT_OF_RANGE', [quoteText(rows.view), quoteText(feature), key, misfit])
      return `CASE WHEN ${misfit} IS NOT NULL THEN ${raised} ELSE ${value} END AS ${quoteName(as)}`
    })
  }

  /** An instant keeps its zone where the source has one. */
  #inOwnType(feature: string, value: string): string {
    const column = this.#readable.source.columns.find(
      (one) => one.name.toLowerCase() === feature.toLowerCase(),
    )
    const declared = this.#join.rows.features.find((one) => one.name === feature)?.valueType
    return declared === 'timestamp' && column?.nativeType === 'TIMESTAMP WITH TIME ZONE'
      ? `${value}::TIMESTAMPTZ`
      : value
  }

  /** Rows that may be candidates at all. */
  #rows(features: ViewJoin['rows']['features']): string {
    const conditions = [...this.#keys, 't'].map((column) => `${column} IS NOT NULL`)
    if (this.#query.asKnownAt !== undefined)
      conditions.push(`c <= ${instantValue(this.#query.asKnownAt, this.#values)}`)
    return `(SELECT * FROM ${typedRows(this.#readable, features)} WHERE ${conditions.join(' AND ')})`
  }

  #usedFeatures(): ViewJoin['rows']['features'] {
    const used = new Set(this.#join.outputs.map(({feature}) => feature))
    return this.#join.rows.features.filter(({name}) => used.has(name))
  }

  #usedColumns(): readonly string[] {
    const unfit = checkedFeatures(this.#readable)
    return this.#usedFeatures().flatMap((feature) => {
      const index = this.#join.rows.features.indexOf(feature)
      return unfit.has(index) ? [featureName(index), misfitName(index)] : [featureName(index)]
    })
  }

  #name(part: string): string {
    return `"v${this.#index}:${part}"`
  }

  #checkCreated(): void {
    const {source} = this.#join.rows.source
    if (source.createdTimestampColumn !== undefined) return
    if (!this.#join.knowledgeTime && this.#query.asKnownAt === undefined) return
    throw new FeatureStoreError(
      'FS_NOT_SUPPORTED',
      `View \`${this.#join.rows.view}\` can't be joined by what was known at a time: its source \`${source.name}\` has no created timestamp.`,
      {hint: `Name the column with created_timestamp_column in data source \`${source.name}\`.`},
    )
  }
}

function nativeTypeIn(source: ReadableSource, name: string): string {
  const column = source.columns.find((one) => one.name === name)
  if (column === undefined) throw new Error(`entity rows have no column ${name}: it was not checked`)
  return column.nativeType
}
