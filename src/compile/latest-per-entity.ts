import type {LatestPerEntityQuery} from './query.js'
import type {RelationScript} from './relations.js'
import {isAfter} from './key-order.js'
import {settleTies} from './settle-ties.js'
import {
  boundsOf,
  checkedFeatures,
  featureName,
  isIncomplete,
  keyName,
  misfitName,
  selectedRows,
  typedRows,
  type ReadableRows,
} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

export interface LatestScript extends RelationScript {
  /** As `select`, with other columns of `chosen`. */
  readonly selectAs: (columns: readonly string[]) => string
  /** Keys and times that several rows had; where the engine can't put these in order, several may be left. */
  readonly tied: string
}

/**
 * The newest row of each key among the selected rows: columns `k0…`, `t`, `c`, `f0…`, `m0…`. Two passes, of which the
 * first reads keys and times alone, and the second only rows of the keys that are wanted; a row is chosen whole.
 */
export function compileLatestPerEntity(
  query: LatestPerEntityQuery,
  readable: ReadableRows,
  values: SqlValues,
): LatestScript {
  const {everyKey = false, sample} = query
  const {keys} = query.rows
  const {dialect} = readable.source
  const keyNames = keys.map((_, index) => keyName(index))
  const list = keyNames.join(', ')
  const typed = keys.map(({valueType}, index) => ({column: keyName(index), type: valueType}))
  const by = [...keyNames, 't']
  const selected = (): string => selectedRows(query, dialect, values)
  const bounds = everyKey ? undefined : boundsOf(query)
  const between = bounds === undefined ? undefined : {...bounds, values}
  const columns = latestColumns(readable)
  const newest = '"latest.newest"'
  const candidates = '"latest.candidates"'
  const {relations, chosen, tied} = settleTies({
    prefix: 'latest',
    candidates,
    ranked: () => candidates,
    by,
    columns,
    readable,
  })
  const selectFrom = (rows: string, selected: readonly string[]): string => {
    const order = keyNames.map((key) => `chosen.${key}`).join(', ')
    return `SELECT ${selected.join(', ')} FROM ${rows} AS chosen${query.order === 'key' ? ` ORDER BY ${order}` : ''}`
  }
  const selectAs = (selected: readonly string[]): string => selectFrom(chosen, selected)
  // Where no key has several rows, all of them are the newest: nothing is to be looked up a second time, or settled.
  const mayBeSingle = !everyKey && sample === undefined
  return {
    relations: [
      {
        name: '"latest.rows"',
        kept: 'no',
        sql: () => {
          const rows = typedRows(readable, {unfitTime: 'is null', between})
          const complete = [
            `NOT (${isIncomplete(keys.length)})`,
            ...(query.after === undefined ? [] : [`(${isAfter(keys, query.after, dialect, values)})`]),
          ].join(' AND ')
          return everyKey
            ? `SELECT typed.*, coalesce(${selected()}, false) AS selected FROM ${rows} AS typed
  WHERE ${complete}`
            : `SELECT * FROM ${rows} AS typed
  WHERE (${selected()}) AND ${complete}`
        },
      },
      {
        name: newest,
        kept: 'table',
        sql: () => {
          const time = everyKey
            ? 'coalesce(max(CASE WHEN selected THEN t END), max(t)) AS t, bool_or(selected) AS selected'
            : `max(t) AS t${mayBeSingle ? ', count(*) AS n' : ''}`
          const some =
            sample === undefined
              ? ''
              : `
  ORDER BY ${dialect.shuffled(typed, values.integer(sample.seed))}, ${list} LIMIT ${values.integer(BigInt(sample.size))}`
          return `SELECT ${list}, ${time} FROM "latest.rows" GROUP BY ${list}${some}`
        },
      },
      {
        name: candidates,
        kept: 'table',
        sql: () =>
          `SELECT one.* FROM ${dialect.semiJoin('"latest.rows"', newest, everyKey ? [...by, 'selected'] : by)}`,
      },
      ...relations,
    ],
    select: () => selectAs(columns),
    shortcut: mayBeSingle
      ? {
          after: newest,
          holds: () => `SELECT coalesce(max(n), 1) = 1 FROM ${newest}`,
          select: () => selectFrom('"latest.rows"', columns),
        }
      : undefined,
    selectAs,
    tied,
  }
}

/** The columns of a newest row, in order. */
export function latestColumns(readable: ReadableRows): readonly string[] {
  const {keys, features} = readable.rows
  return [
    ...keys.map((_, index) => keyName(index)),
    't',
    'c',
    ...features.map((_, index) => featureName(index)),
    ...[...checkedFeatures(readable)].map(misfitName),
  ]
}

/**
 * The selected rows that have no key or no event time: all columns as they are in the source, or as `sent` writes them;
 * these by time and key, since who sends them may send them from many places.
 */
export function compileIncompleteRows(
  query: LatestPerEntityQuery,
  readable: ReadableRows,
  values: SqlValues,
  sent?: (column: string, index: number) => string,
): string {
  const {dialect, columns} = readable.source
  const whole = columns.map(({name}, index) => ({name: dialect.quoteName(name), inside: `w${index}`}))
  const rows = typedRows(readable, {
    features: [],
    more: whole.map(({name, inside}) => `${name} AS ${inside}`),
    unfitTime: 'is null',
  })
  const selected = whole.map(({name, inside}, index) => sent?.(inside, index) ?? `${inside} AS ${name}`)
  const by = ['t', ...query.rows.keys.map((_, index) => keyName(index))]
  const order =
    sent === undefined ? '' : `\nORDER BY ${by.map((column) => dialect.ascending(column)).join(', ')}`
  return `SELECT ${selected.join(', ')} FROM ${rows} AS typed
WHERE (${selectedRows(query, dialect, values)}) AND (${isIncomplete(query.rows.keys.length)})${order}`
}
