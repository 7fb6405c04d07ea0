import {FeatureStoreError} from '../errors.js'
import {asOfJoin} from './dialects/duckdb-as-of.js'
import {quoteName, quoteText} from './dialects/duckdb-names.js'
import type {EntityKeys} from './entity-keys.js'
import type {PointInTimeQuery, ViewJoin} from './query.js'
import type {Relation} from './relations.js'
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

/** One view's part in a training frame. Its relations are named `v<index>:…`. */
export class ViewPart {
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
  timeRelations(): readonly Relation[] {
    const keys = this.#keys.join(', ')
    const name = this.#name('times')
    // A row is known from the later of its two times on. The best of all rows known by then has the largest (t, c): so
    // each row carries the best up to itself, and one ASOF over the time of knowledge finds it.
    const sql = (): string =>
      this.#join.knowledgeTime
        ? `SELECT ${keys}, known, best.t AS t, best.c AS c FROM (
    SELECT ${keys}, greatest(t, c) AS known, max({'t': t, 'c': c}) OVER (
      PARTITION BY ${keys} ORDER BY greatest(t, c) RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS best FROM ${this.#rows([])} WHERE c IS NOT NULL
  )`
        : `SELECT ${keys}, t AS known, t FROM ${this.#rows([])}`
    return [{name, kept: false, sql}]
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
  rowRelations(): readonly Relation[] {
    const alias = `v${this.#index}`
    const wanted = this.#name('wanted')
    const candidates = this.#name('candidates')
    const used = this.#usedFeatures()
    const all = used.length === this.#join.rows.features.length
    const found = this.#keys.map((key, index) => `${this.#entityKeys[index] ?? ''} AS ${key}`)
    const times = this.#pair.slice(this.#keys.length).map((time) => `"frame:${alias}${time}" AS ${time}`)
    return [
      {
        name: wanted,
        kept: true,
        sql: () =>
          `SELECT DISTINCT ${[...found, ...times].join(', ')} FROM "frame:times" WHERE "frame:${alias}t" IS NOT NULL`,
      },
      {
        name: candidates,
        kept: true,
        sql: () =>
          `SELECT one.* FROM ${this.#rows(used)} AS one SEMI JOIN ${wanted} AS wanted ON ${equalColumns('one', 'wanted', this.#pair)}`,
      },
      ...settleTies({
        prefix: alias,
        candidates,
        ranked: () => (all ? candidates : this.#rows(this.#join.rows.features)),
        by: this.#pair,
        columns: [...this.#pair, ...this.#usedColumns()],
        readable: this.#readable,
      }).relations,
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
    return `(SELECT * FROM ${typedRows(this.#readable, {features})} WHERE ${conditions.join(' AND ')})`
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
