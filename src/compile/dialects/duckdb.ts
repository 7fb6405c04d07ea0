/** DuckDB, the engine that needs nothing but a process. */
import type {AsOfJoin, Dialect, TypedKey} from '../dialect.js'
import {equalColumns} from '../dialect.js'
import {castExactly, castToInstant} from './duckdb-casts.js'
import {duckDbTimeBetween} from './duckdb-time-between.js'
import {keyConstant} from './duckdb-keys.js'
import {nativeTypeOf} from './duckdb-types.js'
import {quoteName, quoteText} from './duckdb-names.js'

const columnsOf = (keys: readonly TypedKey[]): string => keys.map(({column}) => column).join(', ')

export const duckDb: Dialect = {
  quoteName,
  quoteText,
  commonTable: {kept: 'MATERIALIZED', named: 'NOT MATERIALIZED'},
  searchesOneByOne: true,
  key: castExactly,
  keyValue: keyConstant,
  nullKey: (type) => `NULL::${nativeTypeOf(type)}`,
  feature: castExactly,
  instantOf: castToInstant,
  nullInstant: 'NULL::TIMESTAMP',
  timeBetween: duckDbTimeBetween,
  instant: (value, values) => `make_timestamp(${values.integer(value)})`,
  microseconds: (instant) => `epoch_us(${instant})`,
  isWithin: (found, asked, microseconds) => `${found} >= ${asked} - to_microseconds(${microseconds})`,
  // It takes a null inside a list for the largest: https://duckdb.org/docs/stable/sql/data_types/struct
  comparable: (feature, _native, type) =>
    type.startsWith('list<')
      ? [`list_transform(${feature}, lambda e: {'is': e IS NOT NULL, 'value': e})`]
      : [feature],
  ascending: (expression) => `${expression} NULLS FIRST`,
  descending: (expression) => `${expression} DESC NULLS LAST`,
  // ASOF takes one inequality and breaks ties as it likes, so what it looks through carries the best up to each row. Rows
  // without a key stay: conditions make the engine expect far fewer rows than there are. (Of several keys, all but the
  // first may be null on both sides of an ASOF join and match; the joins that follow are by equality.)
  timesKnown: ({rows, keys, known}) => {
    const list = keys.join(', ')
    return known === 't'
      ? `SELECT ${list}, t FROM ${rows} AS rows`
      : `SELECT ${list}, known, best.t AS t, best.c AS c FROM (
    SELECT ${list}, ${known} AS known, max({'t': t, 'c': c}) OVER (
      PARTITION BY ${list} ORDER BY ${known} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS best FROM ${rows} AS rows WHERE t IS NOT NULL AND c IS NOT NULL
  )`
  },
  asOfJoin: asOf,
  semiJoinTakesRepeats: true,
  semiJoin: (one, other, columns) =>
    `${one} AS one SEMI JOIN ${other} AS other ON ${equalColumns('one', 'other', columns)}`,
  antiJoin: (one, other, columns) =>
    `${one} AS one ANTI JOIN ${other} AS other ON ${equalColumns('one', 'other', columns)}`,
  shuffled: (keys, seed) => `hash(${columnsOf(keys)}, ${seed})`,
  approximateCount: (keys, condition) =>
    `approx_count_distinct(CASE WHEN ${condition} THEN hash(${columnsOf(keys)}) END)`,
}

/** Sorts both sides: https://duckdb.org/docs/stable/guides/sql_features/asof_join */
function asOf({left, entityKeys, entityTime, right, rightAlias, rightKeys, carried}: AsOfJoin): string {
  // What is carried twice is sorted and kept twice.
  const known = carried.length === 1 ? 't' : 'known'
  const equal = rightKeys.map((key, index) => `entity.${entityKeys[index] ?? ''} = ${rightAlias}.${key}`)
  const conditions = [...equal, `entity.${entityTime} >= ${rightAlias}.${known}`]
  return `${left}\n  ASOF LEFT JOIN ${right} AS ${rightAlias} ON ${conditions.join(' AND ')}`
}
