import {FeatureStoreError} from '../errors.js'
import {earliestInstant} from '../definitions/instant.js'
import {columnsOfKey, type AskedRows} from './asked-rows.js'
import type {Dialect, TimeBounds} from './dialect.js'
import {entityRow, entityTable, entityTime, type EntityTable} from './entity-table.js'
import type {PointInTimeQuery, ViewJoin} from './query.js'
import type {Relation} from './relations.js'
import {settleTies} from './settle-ties.js'
import {
  checkedFeatures,
  featureName,
  keyName,
  misfitName,
  settlingOrder,
  typedRows,
  type ReadableRows,
  type ReadableSource,
} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

/**
 * Up to so many entity rows a search for their keys pays. Measured of two views of 10 M rows of 500,000 keys: a frame of
 * 100,000 entity rows takes half of the time and of the memory, one of 1,000 a third and a quarter. Where they ask for
 * every key, the search comes on top.
 */
const fewEntityRows = 100_000

/** One view's part in a training frame. Its relations are named `v<index>.…`. */
export class ViewPart {
  readonly #join: ViewJoin
  readonly #readable: ReadableRows
  readonly #index: number
  readonly #query: PointInTimeQuery
  readonly #values: SqlValues
  readonly #dialect: Dialect
  readonly #asked: AskedRows | undefined
  readonly #entityKeys: readonly string[]
  readonly #keys: readonly string[]
  /** What identifies the rows that tie: with knowledge time the created time is known too. */
  readonly #pair: readonly string[]
  /** Those of `pair` that are times. */
  readonly #times: readonly ('t' | 'c')[]

  constructor({
    join,
    source,
    index,
    query,
    entity,
    values,
    dialect,
    asked,
  }: {
    readonly join: ViewJoin
    readonly source: ReadableSource
    readonly index: number
    readonly query: PointInTimeQuery
    readonly entity: EntityTable
    readonly values: SqlValues
    readonly dialect: Dialect
    readonly asked: AskedRows | undefined
  }) {
    this.#join = join
    this.#readable = {rows: join.rows, source}
    this.#index = index
    this.#query = query
    this.#values = values
    this.#dialect = dialect
    this.#asked = asked
    this.#keys = join.rows.keys.map((_, key) => keyName(key))
    this.#entityKeys = entityKeysOf(join, entity)
    this.#times = join.knowledgeTime ? ['t', 'c'] : ['t']
    this.#pair = [...this.#keys, ...this.#times]
    this.#checkCreated()
  }

  /** Keys and times to look through. With knowledge time a row is known from the later of its two times on. */
  timeRelations(): readonly Relation[] {
    return [
      {
        name: this.#name('times'),
        kept: 'no',
        sql: () =>
          this.#dialect.timesKnown({
            rows: this.#rowsToSearch(),
            keys: this.#keys,
            known: this.#join.knowledgeTime ? 'greatest(t, c)' : 't',
          }),
      },
    ]
  }

  /** `requests`: the relation that is `entity` within `left`. */
  joinAsOf(left: string, requests: string): string {
    return this.#dialect.asOfJoin({
      left,
      entity: requests,
      entityRow,
      entityKeys: this.#entityKeys,
      entityTime,
      right: this.#name('times'),
      rightAlias: `v${this.#index}`,
      rightKeys: this.#keys,
      carried: this.#times,
      seldomShared: this.#isSeldomShared(),
    })
  }

  /** The event time found, unless it is expired. For an entity row without a key it may be any: no row is joined to it. */
  foundTime(): string {
    const alias = `v${this.#index}`
    const {ttl} = this.#join
    const alive =
      ttl === undefined
        ? 'true'
        : this.#dialect.isWithin(`${alias}.t`, `entity.${entityTime}`, this.#values.integer(ttl))
    const time = `CASE WHEN ${alive} THEN ${alias}.t END AS "frame.${alias}t"`
    return this.#join.knowledgeTime ? `${time}, ${alias}.c AS "frame.${alias}c"` : time
  }

  /** The rows of just those keys and times, one for each. */
  rowRelations(): readonly Relation[] {
    const alias = `v${this.#index}`
    const wanted = this.#name('wanted')
    const candidates = this.#name('candidates')
    const used = this.#usedFeatures()
    const all = used.length === this.#join.rows.features.length
    const found = this.#keys.map((key, index) => `${this.#entityKeys[index] ?? ''} AS ${key}`)
    const times = this.#times.map((time) => `"frame.${alias}${time}" AS ${time}`)
    return [
      {
        name: wanted,
        kept: this.#dialect.semiJoinTakesRepeats ? 'no' : 'table',
        sql: () =>
          `SELECT ${this.#distinct()}${[...found, ...times].join(', ')} FROM "frame.times" WHERE "frame.${alias}t" IS NOT NULL`,
      },
      {
        name: candidates,
        kept: 'table',
        sql: () => `SELECT one.* FROM ${this.#dialect.semiJoin(this.#rows(used), wanted, this.#pair)}`,
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
      ...this.#times.map((time) => `entity."frame.${alias}${time}" = ${alias}.${time}`),
    ]
    return `LEFT JOIN "${alias}.chosen" AS ${alias} ON ${equal.join(' AND ')}`
  }

  /** Whether a search by one time may meet each row of the source with all entity rows of its key. */
  #isSeldomShared(): boolean {
    return !this.#join.knowledgeTime && this.#asked?.seldomShared.has(columnsOfKey(this.#entityKeys)) === true
  }

  /**
   * Where few entity rows ask, looking for their keys costs less than sorting the rows of all the others; a search that
   * meets rows by their keys looks for them itself.
   */
  #rowsToSearch(): string {
    const rows = this.#rows([])
    if (this.#asked === undefined || this.#asked.count > fewEntityRows) return rows
    if (this.#isSeldomShared()) return rows
    const keys = this.#keys.map((key, index) => `${this.#entityKeys[index] ?? ''} AS ${key}`)
    const wanted = `(SELECT ${this.#distinct()}${keys.join(', ')} FROM ${entityTable})`
    return `(SELECT one.* FROM ${this.#dialect.semiJoin(rows, wanted, this.#keys)})`
  }

  /** Rows that may be candidates; those without a key or a time, too, which no join by them meets. */
  #rows(features: ViewJoin['rows']['features']): string {
    const {asKnownAt} = this.#query
    const known =
      asKnownAt === undefined ? '' : ` WHERE c <= ${this.#dialect.instant(asKnownAt, this.#values)}`
    const times = this.#timesOfRows()
    const between = times === undefined ? undefined : {...times, values: this.#values}
    return `(SELECT * FROM ${typedRows(this.#readable, {features, between})} AS typed${known})`
  }

  /** Of the rows that some entity row may find. */
  #timesOfRows(): TimeBounds | undefined {
    const times = this.#asked?.times
    if (times === undefined) return undefined
    const {ttl} = this.#join
    const first = ttl === undefined ? undefined : times.first - ttl
    return {first: first === undefined || first < earliestInstant ? undefined : first, last: times.last}
  }

  /** Where the other side of a semi-join must have no two rows alike. */
  #distinct(): string {
    return this.#dialect.semiJoinTakesRepeats ? '' : 'DISTINCT '
  }

  #usedFeatures(): ViewJoin['rows']['features'] {
    return usedFeatures(this.#join, this.#readable.source)
  }

  #usedColumns(): readonly string[] {
    const unfit = checkedFeatures(this.#readable)
    return this.#usedFeatures().flatMap((feature) => {
      const index = this.#join.rows.features.indexOf(feature)
      return unfit.has(index) ? [featureName(index), misfitName(index)] : [featureName(index)]
    })
  }

  #name(part: string): string {
    return `"v${this.#index}.${part}"`
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

/** The columns of the entity rows that a view is joined by, in the order of its keys. */
export function entityKeysOf(join: ViewJoin, entity: EntityTable): readonly string[] {
  return join.rows.keys.map(({valueType}, key) => entity.keyOf(join.entityColumns[key] as string, valueType))
}

/** Those that the frame shows; all, where rows of one time may be left for others to settle. */
export function usedFeatures(join: ViewJoin, source: ReadableSource): ViewJoin['rows']['features'] {
  if (!settlingOrder({rows: join.rows, source}).isTotal) return join.rows.features
  const used = new Set(join.outputs.map(({feature}) => feature))
  return join.rows.features.filter(({name}) => used.has(name))
}
