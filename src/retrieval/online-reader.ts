import type {Definitions} from '../definitions/definition.js'
import type {Duration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import type {KeyType, Value} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import type {EntityKey, OnlineRow, OnlineStore, OnlineTable} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import {readKeyValue, showGiven} from './key-value.js'
import {listNames, suggestName} from '../definitions/nearest-name.js'
import {OnlineFeatures, type OnlineRead, type OnlineShape} from './online-features.js'
import {resolveFeatures, type FeatureSelection, type ResolvedProjection} from './resolve-features.js'

export interface OnlineReaderOptions {
  readonly definitions: Definitions
  /** By name of the view: its table in the online store, as the registry keeps it. */
  readonly views: Readonly<Record<string, {readonly table: string}>>
  readonly selection: FeatureSelection
  /** How long after its ttl a store may drop a row; from then on it reads NOT_FOUND. */
  readonly expireAfter: Duration
}

/**
 * Looks up everything a selection names, once, for any number of reads while the definitions stay as they are. Throws
 * what `resolveFeatures` throws, FS_NOT_SUPPORTED for a view that is not online, FS_NOT_APPLIED for one without a table.
 */
export function prepareOnlineFeatures(options: OnlineReaderOptions): OnlineReader {
  const {definitions, views, selection, expireAfter} = options
  const {projections, order} = resolveFeatures(definitions, selection)
  const columns = new KeyColumns(definitions)
  const reads = projections.map((projection): PreparedRead => ({
    table: onlineTableOf(projection.view, definitions, tableOf(projection, views)),
    features: projection.features.map(({feature}) => feature),
    keyColumns: projection.keys.map(({column, joinKey}) =>
      columns.require(column, joinKey.valueType, projection.view.name),
    ),
    ttl: projection.view.ttl,
  }))
  const features = order.map(({projection, feature}) => {
    const {as, valueType} = projections[projection]?.features[
      feature
    ] as ResolvedProjection['features'][number]
    return {name: as, valueType, read: projection, value: feature}
  })
  return new OnlineReader({columns, reads, features, expireAfter})
}

interface PreparedRead {
  readonly table: OnlineTable
  readonly features: readonly string[]
  /** For each join key of the table, the place of its column in `KeyColumns`. */
  readonly keyColumns: readonly number[]
  readonly ttl: Duration | undefined
}

/** Reads one selection for any entities. Holds nothing that belongs to a request: reads may overlap. */
export class OnlineReader {
  readonly #columns: KeyColumns
  readonly #reads: readonly PreparedRead[]
  readonly #shape: OnlineShape
  readonly #expireAfter: Duration

  constructor(prepared: {
    readonly columns: KeyColumns
    readonly reads: readonly PreparedRead[]
    readonly features: OnlineShape['features']
    readonly expireAfter: Duration
  }) {
    this.#columns = prepared.columns
    this.#reads = prepared.reads
    this.#expireAfter = prepared.expireAfter
    // A column that two views read as two types is shown once, as the first reads it.
    const joinKeys = prepared.columns.list
      .map(({name, valueType}, place) => ({name, valueType, place}))
      .filter(({name, place}, _, all) => all.findIndex((one) => one.name === name) === place)
    const joinKeyNames = joinKeys.map(({name}) => name)
    const featureNames = prepared.features.map(({name}) => name)
    this.#shape = {
      joinKeys,
      features: prepared.features,
      joinKeyNames,
      featureNames,
      emptyRow: emptyRow([...joinKeyNames, ...featureNames]),
    }
  }

  /**
   * The newest values of entities at the time `now`, in one round trip. Entities are records of join keys; keys of other
   * views are ignored, no entities give an empty answer. Throws FS_ENTITY_KEY_INVALID for a key that is missing, null or
   * not of its type, FS_ENTITY_ROWS_INVALID for what is no list of records or has a column that is no join key.
   */
  async read<Row>(
    online: Pick<OnlineStore, 'read'>,
    entities: readonly object[],
    now: Instant,
  ): Promise<OnlineFeatures<Row>> {
    const keys = this.#columns.read(entities)
    const found = await online.read(
      this.#reads.map(({table, features, keyColumns}) => ({
        table,
        features,
        keys: selectColumns(keys, keyColumns),
      })),
    )
    return new OnlineFeatures<Row>(
      this.#shape,
      keys,
      this.#reads.map(({ttl}, index) => this.#served(ttl, found[index] as OnlineRead['rows'], now)),
    )
  }

  #served(ttl: Duration | undefined, rows: readonly (OnlineRow | undefined)[], now: Instant): OnlineRead {
    if (ttl === undefined) return {rows, oldestServed: undefined, oldestKept: undefined}
    const oldestServed = now - ttl
    return {rows, oldestServed, oldestKept: oldestServed - this.#expireAfter}
  }
}

interface KeyColumn {
  readonly name: string
  readonly valueType: KeyType
  /** The view that first needs it, for messages. */
  readonly view: string
}

/** The entity columns that a selection needs, and those that the project knows at all. */
class KeyColumns {
  readonly list: KeyColumn[] = []
  readonly #known: ReadonlySet<string>

  constructor(definitions: Definitions) {
    this.#known = new Set([
      ...definitions.entities.flatMap(({joinKeys}) => joinKeys.map(({name}) => name)),
      ...definitions.featureServices.flatMap(({features}) =>
        features.flatMap(({joinKeyMap = {}}) => Object.values(joinKeyMap)),
      ),
    ])
  }

  /** The place of a column; one that is read as two types has two. */
  require(name: string, valueType: KeyType, view: string): number {
    const place = this.list.findIndex((one) => one.name === name && one.valueType === valueType)
    return place === -1 ? this.list.push({name, valueType, view}) - 1 : place
  }

  /** One key for each entity, with a value for each column. */
  read(entities: readonly object[]): EntityKey[] {
    const given: unknown = entities
    if (!Array.isArray(given)) {
      throw rowsInvalid(`Entities are a list of records, and this is ${showGiven(given)}.`)
    }
    return given.map((entity: unknown, index) => {
      if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
        throw rowsInvalid(`entities[${index}] is ${showGiven(entity)}. Expected a record of join keys.`)
      }
      const record = entity as Readonly<Record<string, unknown>>
      for (const name in record) if (!this.#known.has(name)) throw this.#unknownColumn(name, index)
      const {list} = this
      const key = new Array<Value>(list.length)
      for (let place = 0; place < list.length; place += 1) {
        const column = list[place] as KeyColumn
        const value = readKeyValue(record[column.name], column.valueType)
        if (value === undefined) throw keyInvalid(column, record[column.name], index)
        key[place] = value
      }
      return key
    })
  }

  #unknownColumn(name: string, index: number): FeatureStoreError {
    const names = [...new Set(this.list.map((column) => column.name))]
    return rowsInvalid(
      `entities[${index}] has \`${name}\`, which is no join key.${suggestName(name, [...this.#known])} Needed here: ${listNames(names)}.`,
    )
  }
}

/** Parsed objects have slots, too. */
function emptyRow(names: readonly string[]): OnlineShape['emptyRow'] {
  return JSON.parse(
    `{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`,
  ) as OnlineShape['emptyRow']
}

/** Keys of one view; as they are where the view needs every column in order, which is the common case. */
function selectColumns(keys: readonly EntityKey[], columns: readonly number[]): readonly EntityKey[] {
  if (columns.every((column, index) => column === index) && columns.length === (keys[0]?.length ?? 0))
    return keys
  return keys.map((key) => columns.map((column) => key[column] as Value))
}

function tableOf({view}: ResolvedProjection, views: OnlineReaderOptions['views']): string {
  if (!view.online) {
    throw new FeatureStoreError(
      'FS_NOT_SUPPORTED',
      `View \`${view.name}\` can't be read online: its definition says \`online: false\`.`,
      {hint: 'Set `online: true` on the view, apply and materialize it; or leave its features out.'},
    )
  }
  const state = Object.hasOwn(views, view.name) ? views[view.name] : undefined
  if (state !== undefined) return state.table
  throw new FeatureStoreError(
    'FS_NOT_APPLIED',
    `View \`${view.name}\` has no table in the online store yet.`,
    {
      hint: 'Run `fs apply`, then `fs materialize-incremental`.',
    },
  )
}

function keyInvalid({name, valueType, view}: KeyColumn, given: unknown, index: number): FeatureStoreError {
  const what =
    given === undefined
      ? `entities[${index}] has no \`${name}\`.`
      : given === null
        ? `entities[${index}]: join key \`${name}\` is null.`
        : `entities[${index}]: join key \`${name}\` is ${showGiven(given)}.`
  return new FeatureStoreError(
    'FS_ENTITY_KEY_INVALID',
    `${what} View \`${view}\` expects ${articleFor(valueType)} ${valueType}.`,
    {hint: `Give each entity a value for \`${name}\`: ${exampleOf[valueType]}.`},
  )
}

const exampleOf: Readonly<Record<KeyType, string>> = {
  string: 'text',
  bytes: 'a Uint8Array, or its base64 text',
  bool: 'true or false',
  int32: 'an integer from -2147483648 to 2147483647',
  int64: 'an integer of at most 64 bits; beyond 2^53 as a bigint or as text',
  timestamp: 'an ISO time such as 2024-05-01T12:30:00Z, a Date, or microseconds since 1970 as a bigint',
  date: 'a date such as 2024-05-01',
}

function articleFor(type: KeyType): string {
  return type.startsWith('int') ? 'an' : 'a'
}

function rowsInvalid(message: string): FeatureStoreError {
  return new FeatureStoreError('FS_ENTITY_ROWS_INVALID', message, {
    hint: 'Write each entity as its join keys, for example {driver_id: 1001}.',
  })
}
