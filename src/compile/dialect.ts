/**
 * What differs between engines in the SQL of a question; the questions themselves (`point-in-time.ts`,
 * `latest-per-entity.ts`, `source-summary.ts`) are written once. An engine that can't do a thing says so when it is asked.
 */
import type {Instant} from '../definitions/instant.js'
import type {KeyType, Value, ValueType} from '../definitions/value-type.js'
import type {SqlValues} from './sql-values.js'

export interface ExactCast {
  /** The value; null where it doesn't fit. */
  readonly value: string
  /** True where a value doesn't fit; absent when all do. Never null. */
  readonly misfit?: string
}

/** Both ends are within; without an end there is none. */
export interface TimeBounds {
  readonly first?: Instant | undefined
  readonly last?: Instant | undefined
}

/** A column with keys in it, as `key` gave them. */
export interface TypedKey {
  readonly column: string
  readonly type: KeyType
}

/**
 * Finds for each request, by key and time alone, the largest `carried` among the rows that are known by the time of the
 * request. Names are of columns, quoted.
 */
export interface AsOfJoin {
  /** What is joined to; its relation of requests is `entity`, one row for each `entityRow`. */
  readonly left: string
  readonly entity: string
  readonly entityRow: string
  readonly entityKeys: readonly string[]
  readonly entityTime: string
  /** What `timesKnown` gave. */
  readonly right: string
  readonly rightAlias: string
  readonly rightKeys: readonly string[]
  /** The event time, or event and created time. */
  readonly carried: readonly ('t' | 'c')[]
}

export interface Dialect {
  quoteName(name: string): string
  /** A constant text of ours: no user's. */
  quoteText(text: string): string
  /** What stands behind AS in a WITH, for a relation that is read several times, and for one that is only a name. */
  readonly commonTable: {readonly kept: string; readonly named: string}

  /** Whether searches go one after another, each in a step of its own, so that the memory of one is held at a time; else all in one statement. */
  readonly searchesOneByOne: boolean

  /** A column, of the engine's type `native`, as a join key: exactly a value of its declared type, or null. */
  key(column: string, native: string, type: KeyType): ExactCast
  /** A constant that compares with what `key` gives. */
  keyValue(value: Value, type: KeyType, values: SqlValues): string
  /** What `key` gives for null. */
  nullKey(type: KeyType): string
  /** As `key`, for a feature. */
  feature(column: string, native: string, type: ValueType): ExactCast
  /** A column as an instant, of whatever type stands for instants: they compare, and `microseconds` reads them. */
  instantOf(column: string, native: string): ExactCast
  readonly nullInstant: string
  /**
   * A condition on the column itself that holds wherever `instantOf` is between the two: by it an engine skips blocks that
   * hold no such times, which it can't do by what it computes. Undefined for a column that is not stored as a time.
   */
  timeBetween(column: string, native: string, times: TimeBounds, values: SqlValues): string | undefined
  /** A constant that compares with what `instantOf` gives. */
  instant(value: Instant, values: SqlValues): string
  /** Epoch microseconds. */
  microseconds(instant: string): string
  /** `found`, an instant, is at most so many microseconds before `asked`. */
  isWithin(found: string, asked: string, microseconds: string): string
  /** What a value that `feature` gave is ordered by, as in every engine; undefined where this one has no such order. */
  comparable(feature: string, native: string, type: ValueType): readonly string[] | undefined
  /** Smallest first, null before all. */
  ascending(expression: string): string
  /** Largest first, null last. */
  descending(expression: string): string

  /**
   * A statement for `asOfJoin`: `rows` (keys, `t`, `c`) with the time from which each is known. Some may have no key or no
   * time: what a request without a key finds of them is not asked.
   */
  timesKnown(options: {
    readonly rows: string
    readonly keys: readonly string[]
    readonly known: 't' | 'greatest(t, c)'
  }): string
  asOfJoin(join: AsOfJoin): string
  /** Whether `other` of a semi-join may have rows that are alike. */
  readonly semiJoinTakesRepeats: boolean
  /** `one`, under this alias, where its like is in `other`. */
  semiJoin(one: string, other: string, columns: readonly string[]): string
  /** `one`, under this alias, where its like is not in `other`; to stand last in its statement. */
  antiJoin(one: string, other: string, columns: readonly string[]): string
  /** By it keys are in an order that has nothing to do with their values. */
  shuffled(keys: readonly TypedKey[], seed: string): string
  /** About how many different keys there are where `condition` holds. */
  approximateCount(keys: readonly TypedKey[], condition: string): string
}

/** `a.k0 = b.k0 AND …` for columns of two relations. */
export function equalColumns(left: string, right: string, columns: readonly string[]): string {
  return columns.map((column) => `${left}.${column} = ${right}.${column}`).join(' AND ')
}
