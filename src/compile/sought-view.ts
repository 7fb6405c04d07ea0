import {entityRow, entityTable, entityTime} from './entity-table.js'
import type {Relation} from './relations.js'
import {settleTies} from './settle-ties.js'
import type {ViewContext, ViewRows} from './view-rows.js'

/**
 * Up to so many entity rows a search for their keys pays. Measured of two views of 10 M rows of 500,000 keys: a frame of
 * 100,000 entity rows takes half of the time and of the memory, one of 1,000 a third and a quarter. Where they ask for
 * every key, the search comes on top.
 */
const fewEntityRows = 100_000

/** A view whose rows are found by a sort of both sides: any number of entity rows may have the same keys. */
export class SoughtView {
  readonly #rows: ViewRows
  readonly #context: ViewContext
  /** What identifies the rows that tie: with knowledge time the created time is known too. */
  readonly #pair: readonly string[]
  /** Those of `pair` that are times. */
  readonly #times: readonly ('t' | 'c')[]

  constructor(rows: ViewRows, context: ViewContext) {
    this.#rows = rows
    this.#context = context
    this.#times = rows.join.knowledgeTime ? ['t', 'c'] : ['t']
    this.#pair = [...rows.keys, ...this.#times]
  }

  /** Keys and times to look through. With knowledge time a row is known from the later of its two times on. */
  timeRelations(): readonly Relation[] {
    return [
      {
        name: this.#rows.name('times'),
        kept: 'no',
        sql: () =>
          this.#context.dialect.timesKnown({
            rows: this.#rowsToSearch(),
            keys: this.#rows.keys,
            known: this.#rows.join.knowledgeTime ? 'greatest(t, c)' : 't',
          }),
      },
    ]
  }

  /** `requests`: the relation that is `entity` within `left`. */
  joinAsOf(left: string, requests: string): string {
    const {alias, keys, entityKeys} = this.#rows
    return this.#context.dialect.asOfJoin({
      left,
      entity: requests,
      entityRow,
      entityKeys,
      entityTime,
      right: this.#rows.name('times'),
      rightAlias: alias,
      rightKeys: keys,
      carried: this.#times,
    })
  }

  /** The event time found, unless it is expired. For an entity row without a key it may be any: no row is joined to it. */
  foundTime(): string {
    const {alias, join} = this.#rows
    const {dialect, values} = this.#context
    const alive =
      join.ttl === undefined
        ? 'true'
        : dialect.isWithin(`${alias}.t`, `entity.${entityTime}`, values.integer(join.ttl))
    const time = `CASE WHEN ${alive} THEN ${alias}.t END AS "frame.${alias}t"`
    return join.knowledgeTime ? `${time}, ${alias}.c AS "frame.${alias}c"` : time
  }

  /** The rows of just those keys and times, one for each. */
  rowRelations(): readonly Relation[] {
    const {alias, keys, entityKeys, used, usesAll, join, readable} = this.#rows
    const {dialect} = this.#context
    const wanted = this.#rows.name('wanted')
    const candidates = this.#rows.name('candidates')
    const found = keys.map((key, index) => `${entityKeys[index] ?? ''} AS ${key}`)
    const times = this.#times.map((time) => `"frame.${alias}${time}" AS ${time}`)
    return [
      {
        name: wanted,
        kept: dialect.semiJoinTakesRepeats ? 'no' : 'table',
        sql: () =>
          `SELECT ${this.#distinct()}${[...found, ...times].join(', ')} FROM "frame.times" WHERE "frame.${alias}t" IS NOT NULL`,
      },
      {
        name: candidates,
        kept: 'table',
        sql: () => `SELECT one.* FROM ${dialect.semiJoin(this.#rows.with(used), wanted, this.#pair)}`,
      },
      ...settleTies({
        prefix: alias,
        candidates,
        ranked: () => (usesAll ? candidates : this.#rows.with(join.rows.features)),
        by: this.#pair,
        columns: [...this.#pair, ...this.#rows.columnsOf(used)],
        readable,
      }).relations,
    ]
  }

  joinChosen(): string {
    const {alias, keys, entityKeys} = this.#rows
    const equal = [
      ...keys.map((key, index) => `entity.${entityKeys[index] ?? ''} = ${alias}.${key}`),
      ...this.#times.map((time) => `entity."frame.${alias}${time}" = ${alias}.${time}`),
    ]
    return `LEFT JOIN ${this.#rows.name('chosen')} AS ${alias} ON ${equal.join(' AND ')}`
  }

  /** Where few entity rows ask, looking for their keys costs less than sorting the rows of all the others. */
  #rowsToSearch(): string {
    const {asked, dialect} = this.#context
    const {keys, entityKeys} = this.#rows
    const rows = this.#rows.with([])
    if (asked === undefined || asked.count > fewEntityRows) return rows
    const columns = keys.map((key, index) => `${entityKeys[index] ?? ''} AS ${key}`)
    const wanted = `(SELECT ${this.#distinct()}${columns.join(', ')} FROM ${entityTable})`
    return `(SELECT one.* FROM ${dialect.semiJoin(rows, wanted, keys)})`
  }

  /** Where the other side of a semi-join must have no two rows alike. */
  #distinct(): string {
    return this.#context.dialect.semiJoinTakesRepeats ? '' : 'DISTINCT '
  }
}
