/**
 * Amazon Redshift. It chooses rows by keys and times; values leave it as they are, and DuckDB makes of them what views
 * declare, so that what fits and what doesn't is the same as for files.
 */
import {typeParts, type ScalarType} from '../../definitions/value-type.js'
import type {Dialect, TypedKey} from '../dialect.js'
import {equalColumns} from '../dialect.js'
import {alwaysFits} from './duckdb-types.js'
import {castToTimestamp, redshiftTimeBetween, timestampLiteral} from './redshift-instants.js'
import {castKey, ended, keyConstant, nullKey} from './redshift-keys.js'
import {quoteName, quoteText} from './redshift-names.js'
import {counted, microseconds, timestampOf, travelOf} from './redshift-types.js'

export const redshift: Dialect = {
  quoteName,
  quoteText,
  commonTable: {kept: '', named: ''},
  searchesOneByOne: false,
  key: castKey,
  keyValue: keyConstant,
  nullKey,
  feature: (column) => ({value: column}),
  instantOf: castToTimestamp,
  nullInstant: 'NULL::timestamp',
  timeBetween: redshiftTimeBetween,
  instant: (value) => timestampLiteral(value),
  microseconds,
  isWithin: (found, asked, micros) => `datediff(microsecond, ${found}, ${asked}) <= ${micros}`,
  // SUPER has no order, and what is cast at home is ordered at home. Of NaN nobody says how it is ordered here.
  comparable: (feature, native, type) => {
    const received = travelOf(native, type)?.native
    const {kind} = typeParts(type)
    if (received === undefined || kind === 'list' || type === 'json') return undefined
    if (!alwaysFits(received, type as ScalarType)) return undefined
    switch (received) {
      case 'VARCHAR':
        return [ended(feature)]
      case 'BOOLEAN':
        return [`CASE WHEN ${feature} THEN 1 WHEN NOT ${feature} THEN 0 END`]
      case 'BLOB':
        return [`lower(to_hex(${feature}))`]
      case 'FLOAT':
      case 'DOUBLE': {
        if (type === 'string') return undefined
        const isNan = `lower(${feature}::varchar) = 'nan'`
        return [
          `CASE WHEN ${isNan} THEN 1 ELSE 0 END`,
          `CASE WHEN NOT coalesce(${isNan}, false) THEN ${feature} END`,
        ]
      }
      default:
        return type === 'string' ? undefined : [feature]
    }
  },
  // The pages contradict each other on NULLS FIRST and LAST: this needs neither.
  ascending: (expression) => `${expression} IS NOT NULL, ${expression}`,
  descending: (expression) => `${expression} IS NULL, ${expression} DESC`,
  timesKnown: ({rows, keys, known}) => {
    const isPair = known !== 't'
    const there = [...keys, 't', ...(isPair ? ['c'] : [])].map((column) => `${column} IS NOT NULL`)
    return `SELECT ${keys.join(', ')}, ${known} AS known, t${isPair ? ', c' : ''} FROM ${rows} AS rows WHERE ${there.join(' AND ')}`
  },
  // There is no ASOF, and a join by a range has as many rows as there are pairs. In one sort of both sides by key and time
  // each request sees the largest time so far. A pair of times is one text of digits, whose largest is that of the pairs.
  asOfJoin: ({left, entity, entityRow, entityKeys, entityTime, right, rightAlias, rightKeys, carried}) => {
    const isPair = carried.length > 1
    const digits = (time: string): string => `lpad(${counted(microseconds(time))}::varchar, 19, '0')`
    const found = isPair ? carried.map(digits).join(' || ') : 't'
    const key = (name: string): string => `key_${name}`
    const keys = rightKeys.map(key).join(', ')
    const out = isPair
      ? carried.map(
          (time, index) => `${timestampOf(`substring(best, ${index * 19 + 1}, 19)::bigint`)} AS ${time}`,
        )
      : ['best AS t']
    return `${left}
  LEFT JOIN (
    SELECT ${entityRow}, ${out.join(', ')} FROM (
      SELECT side, ${entityRow}, max(found) OVER (PARTITION BY ${keys} ORDER BY at, side ROWS UNBOUNDED PRECEDING) AS best
      FROM (
        SELECT 0 AS side, NULL::bigint AS ${entityRow}, ${rightKeys.map((name) => `${name} AS ${key(name)}`).join(', ')}, known AS at, ${found} AS found
        FROM ${right} AS known_rows
        UNION ALL
        SELECT 1, ${entityRow}, ${entityKeys.join(', ')}, ${entityTime}, NULL FROM ${entity} AS asked
      ) AS both_sides
    ) AS seen WHERE side = 1 AND best IS NOT NULL
  ) AS ${rightAlias} ON ${rightAlias}.${entityRow} = entity.${entityRow}`
  },
  // SEMI and ANTI JOIN are not there.
  semiJoinTakesRepeats: false,
  semiJoin: (one, other, columns) =>
    `${one} AS one JOIN ${other} AS other ON ${equalColumns('one', 'other', columns)}`,
  antiJoin: (one, other, columns) =>
    `${one} AS one LEFT JOIN ${other} AS other ON ${equalColumns('one', 'other', columns)} WHERE other.${columns[0] ?? ''} IS NULL`,
  shuffled: (keys, seed) => `md5(${textsOf(keys)} || ${quoteText(':')} || ${seed}::varchar)`,
  approximateCount: (keys, condition) =>
    `approximate count(DISTINCT CASE WHEN ${condition} THEN ${textsOf(keys)} END)`,
}

/** Keys as one text. */
function textsOf(keys: readonly TypedKey[]): string {
  return keys
    .map(({column, type}) => (type === 'string' ? column : `${column}::varchar`))
    .join(` || ${quoteText('/')} || `)
}
