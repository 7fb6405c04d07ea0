import {formatInstant, type Instant} from '../definitions/instant.js'
import {plainValue} from '../definitions/plain-value.js'
import type {Value, ValueType} from '../definitions/value-type.js'
import type {EntityKey, OnlineRow} from '../online/online-store.js'

/**
 * `PRESENT`; `NULL_VALUE`: the row is there, the feature is null; `NOT_FOUND`: no row; `OUTSIDE_MAX_AGE`: older than the
 * view's ttl at request time, the value is withheld.
 */
export type OnlineStatus = 'PRESENT' | 'NULL_VALUE' | 'NOT_FOUND' | 'OUTSIDE_MAX_AGE'

/** Feast's HTTP reply: one result for each name, each with one slot for each entity. Names are join keys, then features. */
export interface OnlineResponse {
  readonly metadata: {readonly feature_names: readonly string[]}
  readonly results: readonly OnlineResult[]
}

export interface OnlineResult {
  /** int64 as `bigint`; timestamps as ISO text, bytes as base64, numbers that JSON lacks as `NaN`, `Infinity` text. */
  readonly values: readonly (Value | null)[]
  readonly statuses: readonly OnlineStatus[]
  /** ISO text; null for join keys and where no row was found. */
  readonly event_timestamps: readonly (string | null)[]
}

/** What every answer to one selection has in common. */
export interface OnlineShape {
  readonly joinKeyNames: readonly string[]
  readonly featureNames: readonly string[]
  /** Columns of the keys that were given; `place` says where each stands in an entity's key. */
  readonly joinKeys: readonly {readonly name: string; readonly valueType: ValueType; readonly place: number}[]
  /**
   * Names of keys and features, in order, all null. A copy of it is an object with slots, where the engine makes a
   * dictionary of an object that gets more than some ten computed names.
   */
  readonly emptyRow: Readonly<Record<string, null>>
  /** In the order asked for; `read` and `value` say which read's rows hold it, and where. */
  readonly features: readonly {
    readonly name: string
    readonly valueType: ValueType
    readonly read: number
    readonly value: number
  }[]
}

/** The rows that one read found, and the event times at which they become too old to serve. */
export interface OnlineRead {
  readonly rows: readonly (OnlineRow | undefined)[]
  /** Older rows are outside their max age; undefined: none is. */
  readonly oldestServed: Instant | undefined
  /** Older rows may be gone from the store any time, so they count as gone. */
  readonly oldestKept: Instant | undefined
}

/** The answer to one request; nothing is converted before it is asked for. */
export class OnlineFeatures<Row = Readonly<Record<string, Value | null>>> {
  /** Names of the features in the order asked for. */
  readonly featureNames: readonly string[]
  /** Names of the key columns, which stand first in rows and responses. */
  readonly joinKeyNames: readonly string[]
  readonly #shape: OnlineShape
  readonly #keys: readonly EntityKey[]
  readonly #reads: readonly OnlineRead[]

  /** `keys` has one entry for each entity. */
  constructor(shape: OnlineShape, keys: readonly EntityKey[], reads: readonly OnlineRead[]) {
    this.featureNames = shape.featureNames
    this.joinKeyNames = shape.joinKeyNames
    this.#shape = shape
    this.#keys = keys
    this.#reads = reads
  }

  /** How many entities were asked for. */
  get rowCount(): number {
    return this.#keys.length
  }

  /** One object for each entity, in request order: its keys, then its features; null where a value is not PRESENT. */
  toRows(): Row[] {
    const {joinKeys, features, emptyRow} = this.#shape
    return this.#keys.map((key, entity) => {
      const row: Record<string, Value | null> = {...emptyRow}
      for (let index = 0; index < joinKeys.length; index += 1) {
        const {name, place} = joinKeys[index] as OnlineShape['joinKeys'][number]
        row[name] = key[place] as Value
      }
      const served = this.#servedValues(entity)
      for (let index = 0; index < features.length; index += 1) {
        const {name, read, value} = features[index] as OnlineShape['features'][number]
        row[name] = served[read]?.[value] ?? null
      }
      return row as Row
    })
  }

  /** The features of one entity in the order of `featureNames`; null where a value is not PRESENT. */
  vector(entity: number): (Value | null)[] {
    this.#checkEntity(entity)
    const served = this.#servedValues(entity)
    return this.#shape.features.map(({read, value}) => served[read]?.[value] ?? null)
  }

  /** The status of each feature of one entity, in the order of `featureNames`. */
  statuses(entity: number): OnlineStatus[] {
    this.#checkEntity(entity)
    return this.featureNames.map((_, index) => this.#statusAt(entity, index))
  }

  /** The answer in Feast's HTTP form, ready for a JSON writer that knows `bigint`. */
  toResponse(): OnlineResponse {
    const {joinKeys, features} = this.#shape
    const keyResults = joinKeys.map(({valueType, place}): OnlineResult => ({
      values: this.#keys.map((key) => plainValue(key[place] as Value, valueType)),
      statuses: this.#keys.map(() => 'PRESENT'),
      event_timestamps: this.#keys.map(() => null),
    }))
    // All features of one read share their rows' times.
    const eventTimestamps = this.#reads.map((_, read) =>
      this.#keys.map((_, entity) => this.#eventTimestampAt(entity, read)),
    )
    const featureResults = features.map(({valueType, read}, index): OnlineResult => ({
      values: this.#keys.map((_, entity) => plainValue(this.#valueAt(entity, index), valueType)),
      statuses: this.#keys.map((_, entity) => this.#statusAt(entity, index)),
      event_timestamps: eventTimestamps[read] as OnlineResult['event_timestamps'],
    }))
    return {
      metadata: {feature_names: [...this.joinKeyNames, ...this.featureNames]},
      results: [...keyResults, ...featureResults],
    }
  }

  /** By read. */
  #servedValues(entity: number): readonly (OnlineRow['values'] | undefined)[] {
    return this.#reads.map((_, read) => this.#servedRow(read, entity)?.values)
  }

  #valueAt(entity: number, index: number): Value | null {
    const {read, value} = this.#shape.features[index] as OnlineShape['features'][number]
    return this.#servedRow(read, entity)?.values[value] ?? null
  }

  #statusAt(entity: number, index: number): OnlineStatus {
    const {read, value} = this.#shape.features[index] as OnlineShape['features'][number]
    const {oldestServed} = this.#reads[read] as OnlineRead
    const row = this.#keptRow(read, entity)
    if (row === undefined) return 'NOT_FOUND'
    if (oldestServed !== undefined && row.eventTimestamp < oldestServed) return 'OUTSIDE_MAX_AGE'
    return (row.values[value] ?? null) === null ? 'NULL_VALUE' : 'PRESENT'
  }

  #eventTimestampAt(entity: number, read: number): string | null {
    const row = this.#keptRow(read, entity)
    return row === undefined ? null : formatInstant(row.eventTimestamp)
  }

  /** The row, unless it is too old to be served. */
  #servedRow(read: number, entity: number): OnlineRow | undefined {
    const {rows, oldestServed} = this.#reads[read] as OnlineRead
    const row = rows[entity]
    return row === undefined || (oldestServed !== undefined && row.eventTimestamp < oldestServed)
      ? undefined
      : row
  }

  /** The row, unless it is so old that its store may have removed it. */
  #keptRow(read: number, entity: number): OnlineRow | undefined {
    const {rows, oldestKept} = this.#reads[read] as OnlineRead
    const row = rows[entity]
    return row === undefined || (oldestKept !== undefined && row.eventTimestamp < oldestKept)
      ? undefined
      : row
  }

  #checkEntity(entity: number): void {
    if (Number.isInteger(entity) && entity >= 0 && entity < this.#keys.length) return
    throw new RangeError(`there is no entity ${entity}: the request had ${this.#keys.length}`)
  }
}
