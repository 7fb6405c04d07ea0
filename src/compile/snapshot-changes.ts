/**
 * Compares the newest rows of a source that is the whole truth with what was there before: a file of keys, times and a
 * hash of each row's features. In DuckDB, which reads that file.
 */
import type {Value} from '../definitions/value-type.js'
import {quoteText} from './dialects/duckdb-names.js'
import {duckDb} from './dialects/duckdb.js'
import {isOneOf} from './key-order.js'
import {compileLatestPerEntity, latestColumns} from './latest-per-entity.js'
import type {LatestPerEntityQuery} from './query.js'
import type {RelationScript} from './relations.js'
import {checkedFeatures, featureName, keyName, misfitName, type ReadableRows} from './source-rows.js'
import {literalValues, type SqlValues} from './sql-values.js'

const now = '"snapshot.now"'
const before = '"snapshot.before"'

export interface SnapshotScript {
  /**
   * Its last statement gives the rows that are new or changed, as `compileLatestPerEntity` does, without those that went
   * back in time. The other statements read what its steps have kept.
   */
  readonly changed: RelationScript
  /** Rows that went back in time, as `changed`, and after their columns the two times that they had. */
  readonly wentBack: string
  /** Keys of rows that are gone, and the two times that they had. */
  readonly gone: string
  /** (changed, gone, all): numbers of rows; those that went back are changed. */
  readonly counts: string
  /** The state to compare with the next time: of the keys that were not written, what it was. */
  readonly state: (notWritten: readonly (readonly Value[])[]) => string
}

/** Files that `state` was written to. */
export interface SnapshotFiles {
  /** What is online, but for what syncs have begun since; absent: nothing. */
  readonly verified?: string | undefined
  /** What they would have made of it: each row may be online, or not. */
  readonly begun: readonly string[]
}

/** Compares what is now with all that may be online. */
export function compileSnapshotChanges(
  query: LatestPerEntityQuery,
  readable: ReadableRows,
  values: SqlValues,
  files: SnapshotFiles,
): SnapshotScript {
  const latest = compileLatestPerEntity(query, readable, values)
  const keys = query.rows.keys.map((_, index) => keyName(index))
  const columns = latestColumns(readable)
  const sameKey = keys.map((key) => `one.${key} = other.${key}`).join(' AND ')
  const isSame = 'one.t = other.t AND one.c IS NOT DISTINCT FROM other.c AND one.h = other.h'
  const misfits = [...checkedFeatures(readable)].map((index) => `${misfitName(index)} IS NOT NULL`)
  const isMisfit = misfits.length === 0 ? 'false' : misfits.join(' OR ')
  const wentBack = `NOT (${isMisfit}) AND (one.t < other.t
  OR (one.t = other.t AND other.c IS NOT NULL AND (one.c IS NULL OR one.c < other.c)))`
  const stateColumns = [...keys, 't', 'c', 'h'].join(', ')
  const stateOf = (alias: string): string =>
    [...keys, 't', 'c', 'h'].map((one) => `${alias}.${one}`).join(', ')
  return {
    changed: {
      areShared: true,
      relations: [
        ...latest.relations,
        {
          name: now,
          kept: 'table',
          sql: () => `SELECT *, ${rowHash(query)} AS h FROM (${latest.select()})`,
        },
        {
          name: before,
          kept: 'table',
          sql: () => possibleRows(files, keys) ?? `SELECT ${stateColumns} FROM ${now} WHERE false`,
        },
      ],
      select: () =>
        // An anti join by an OR compares every row with every other; of a key there is one row on each side.
        `SELECT ${columns.map((column) => `one.${column}`).join(', ')} FROM ${now} AS one
LEFT JOIN ${before} AS other ON ${sameKey}
WHERE other.${keys[0] ?? ''} IS NULL OR NOT coalesce((${isSame}) OR (${wentBack}), false)${
          query.order === 'key' ? ` ORDER BY ${keys.map((key) => `one.${key}`).join(', ')}` : ''
        }`,
    },
    wentBack: `SELECT ${columns.map((column) => `one.${column}`).join(', ')}, other.t AS was_t, other.c AS was_c
FROM ${now} AS one JOIN ${before} AS other ON ${sameKey} AND ${wentBack}`,
    gone: `SELECT ${[...keys, 't', 'c'].map((column) => `one.${column}`).join(', ')} FROM ${before} AS one
ANTI JOIN ${now} AS other ON ${sameKey}`,
    counts: `SELECT (SELECT count(*) FROM ${now} AS one ANTI JOIN ${before} AS other ON ${sameKey} AND ${isSame}),
  (SELECT count(*) FROM ${before} AS one ANTI JOIN ${now} AS other ON ${sameKey}),
  (SELECT count(*) FROM ${now})`,
    // A row that can't be written leaves what was there.
    state: (notWritten) => {
      const isLeft = `(${isMisfit}) OR ${isOneOf(query.rows.keys, notWritten, duckDb, literalValues)}`
      return `SELECT ${stateOf('one')} FROM ${now} AS one WHERE NOT (${isLeft})
UNION ALL
SELECT ${stateOf('one')} FROM ${before} AS one SEMI JOIN (SELECT * FROM ${now} WHERE ${isLeft}) AS other ON ${sameKey}`
    },
  }
}

/**
 * A row for each key that may be online: the one that is, or of those that may be the newest, without a hash, so that none
 * counts as the same. Undefined where nothing can be.
 */
function possibleRows({verified, begun}: SnapshotFiles, keys: readonly string[]): string | undefined {
  if (begun.length === 0)
    return verified === undefined
      ? undefined
      : `SELECT ${[...keys, 't', 'c', 'h'].join(', ')} FROM read_parquet(${quoteText(verified)})`
  const files = [...(verified === undefined ? [] : [verified]), ...begun].map(quoteText).join(', ')
  const list = keys.join(', ')
  // A key that is not in all of them may not be online at all.
  const isSure = `count(*) = ${begun.length + 1} AND min(state) IS NOT DISTINCT FROM max(state)`
  return `SELECT ${list}, max(state).t AS t, max(state).c AS c, CASE WHEN ${isSure} THEN max(state).h END AS h
FROM (SELECT ${list}, {'t': t, 'is_known': c IS NOT NULL, 'c': c, 'h': h} AS state FROM read_parquet([${files}])) GROUP BY ${list}`
}

/** Features with their names and types, each value after its length, so that no two rows have one text. */
function rowHash({rows: {features}}: LatestPerEntityQuery): string {
  const names = quoteText(features.map(({name, valueType}) => `${name} ${valueType}`).join(', '))
  const parts = features.map((_, index) => {
    const text = `CAST(${featureName(index)} AS VARCHAR)`
    return `coalesce(length(${text}) || ':' || ${text}, '-')`
  })
  return `md5(concat_ws(',', ${[names, ...parts].join(', ')}))`
}
