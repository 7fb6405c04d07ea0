import {FeatureStoreError} from '../errors.js'
import {earliestInstant} from '../definitions/instant.js'
import type {AskedRows} from './asked-rows.js'
import type {Dialect, TimeBounds} from './dialect.js'
import type {EntityTable} from './entity-table.js'
import type {PointInTimeQuery, ViewJoin} from './query.js'
import {
  checkedFeatures,
  featureName,
  keyName,
  misfitName,
  settlingOrder,
  typedRows,
  type ReadableJoin,
  type ReadableRows,
  type ReadableSource,
} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

type Features = ViewJoin['rows']['features']

/** What it takes to compile a view's part in a training frame. */
export interface ViewContext {
  readonly query: PointInTimeQuery
  readonly entity: EntityTable
  readonly values: SqlValues
  readonly dialect: Dialect
  /** What is known of the entity rows by then. */
  readonly asked: AskedRows | undefined
}

/** The rows of one view that a training frame may show: typed columns `k0…`, `t`, `c`, `f0…`, `m0…`. */
export class ViewRows {
  readonly join: ViewJoin
  readonly readable: ReadableRows
  /** Under which the frame's last statement has the row that was chosen. */
  readonly alias: string
  readonly keys: readonly string[]
  /** The columns of the entity rows that it is joined by, in the order of its keys. */
  readonly entityKeys: readonly string[]
  /** The features that candidates are read with. */
  readonly used: Features
  readonly #context: ViewContext

  constructor({join, source}: ReadableJoin, index: number, context: ViewContext) {
    this.join = join
    this.readable = {rows: join.rows, source}
    this.alias = `v${index}`
    this.keys = join.rows.keys.map((_, key) => keyName(key))
    this.entityKeys = entityKeysOf(join, context.entity)
    this.used = usedFeatures(join, source)
    this.#context = context
    this.#checkCreated()
  }

  /** The name of a relation of this view. */
  name(part: string): string {
    return `"${this.alias}.${part}"`
  }

  /** Whether rows of one time are settled by no other features than those that are used. */
  get usesAll(): boolean {
    return this.used.length === this.join.rows.features.length
  }

  /** Rows that may be candidates; those without a key or a time, too, which no join by them meets. */
  with(features: Features): string {
    const {query, values, dialect} = this.#context
    const {asKnownAt} = query
    const known = asKnownAt === undefined ? '' : ` WHERE c <= ${dialect.instant(asKnownAt, values)}`
    const times = this.#times()
    const between = times === undefined ? undefined : {...times, values}
    return `(SELECT * FROM ${typedRows(this.readable, {features, between})} AS typed${known})`
  }

  /** Names of the columns that these features have. */
  columnsOf(features: Features): readonly string[] {
    const unfit = checkedFeatures(this.readable)
    return features.flatMap((feature) => {
      const index = this.join.rows.features.indexOf(feature)
      return unfit.has(index) ? [featureName(index), misfitName(index)] : [featureName(index)]
    })
  }

  /** Of the rows that some entity row may find. */
  #times(): TimeBounds | undefined {
    const times = this.#context.asked?.times
    if (times === undefined) return undefined
    const {ttl} = this.join
    const first = ttl === undefined ? undefined : times.first - ttl
    return {first: first === undefined || first < earliestInstant ? undefined : first, last: times.last}
  }

  #checkCreated(): void {
    const {rows, knowledgeTime} = this.join
    const {source} = rows.source
    if (source.createdTimestampColumn !== undefined) return
    if (!knowledgeTime && this.#context.query.asKnownAt === undefined) return
    throw new FeatureStoreError(
      'FS_NOT_SUPPORTED',
      `View \`${rows.view}\` can't be joined by what was known at a time: its source \`${source.name}\` has no created timestamp.`,
      {hint: `Name the column with created_timestamp_column in data source \`${source.name}\`.`},
    )
  }
}

/** The columns of the entity rows that a view is joined by, in the order of its keys. */
export function entityKeysOf(join: ViewJoin, entity: EntityTable): readonly string[] {
  return join.rows.keys.map(({valueType}, key) => entity.keyOf(join.entityColumns[key] as string, valueType))
}

/** Those that the frame shows; all, where rows of one time may be left for others to settle. */
export function usedFeatures(join: ViewJoin, source: ReadableSource): Features {
  if (!settlingOrder({rows: join.rows, source}).isTotal) return join.rows.features
  const used = new Set(join.outputs.map(({feature}) => feature))
  return join.rows.features.filter(({name}) => used.has(name))
}
