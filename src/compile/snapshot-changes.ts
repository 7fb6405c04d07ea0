/**
 * Compares the newest rows of a source that is the whole truth with what was there before: a file of keys, times and a
 * hash of each row's features.
 */
import {quoteText} from './dialects/duckdb-names.js'
import {compileLatestPerEntity, latestColumns} from './latest-per-entity.js'
import type {LatestPerEntityQuery} from './query.js'
import type {RelationScript} from './relations.js'
import {checkedFeatures, featureName, keyName, misfitName, type ReadableRows} from './source-rows.js'
import type {SqlValues} from './sql-values.js'

const now = '"snapshot:now"'
const before = '"snapshot:before"'

export interface SnapshotScript {
  /** Its last statement gives the rows that are new or changed, as `compileLatestPerEntity` does. */
  readonly changed: RelationScript
  /** Statements that read what the script's steps have kept. */
  readonly removed: string
  /** (changed, gone, all): numbers of rows. */
  readonly counts: string
  /** The state to compare with the next time. */
  readonly state: string
}

/** `previous`: a file that `state` was written to; absent: nothing is online. */
export function compileSnapshotChanges(
  query: LatestPerEntityQuery,
  readable: ReadableRows,
  values: SqlValues,
  previous: string | undefined,
): SnapshotScript {
  const latest = compileLatestPerEntity(query, readable, values)
  const keys = query.rows.keys.map((_, index) => keyName(index))
  const columns = latestColumns(readable)
  const sameKey = keys.map((key) => `one.${key} = other.${key}`).join(' AND ')
  const same = `${sameKey} AND one.t = other.t AND one.c IS NOT DISTINCT FROM other.c AND one.h = other.h`
  const misfits = [...checkedFeatures(readable)].map((index) => `${misfitName(index)} IS NOT NULL`)
  const isMisfit = misfits.length === 0 ? 'false' : misfits.join(' OR ')
  const otherFits = [...checkedFeatures(readable)].map((index) => `other.${misfitName(index)} IS NULL`)
  const stateColumns = [...keys, 't', 'c', 'h'].join(', ')
  const stateOf = (alias: string): string =>
    [...keys, 't', 'c', 'h'].map((one) => `${alias}.${one}`).join(', ')
  return {
    changed: {
      relations: [
        ...latest.relations,
        {
          name: now,
          kept: true,
          sql: () => `SELECT *, ${rowHash(query)} AS h FROM (${latest.select()})`,
        },
        {
          name: before,
          kept: true,
          sql: () =>
            previous === undefined
              ? `SELECT ${stateColumns} FROM ${now} WHERE false`
              : `SELECT ${stateColumns} FROM read_parquet(${quoteText(previous)})`,
        },
      ],
      select: () =>
        `SELECT ${columns.join(', ')} FROM ${now} AS one ANTI JOIN ${before} AS other ON ${same}${
          query.order === 'key' ? ` ORDER BY ${keys.join(', ')}` : ''
        }`,
    },
    // Also rows whose time went back: the newer one has to go first.
    removed: `SELECT ${[...keys, 't', 'c'].map((one) => `one.${one}`).join(', ')} FROM ${before} AS one
LEFT JOIN ${now} AS other ON ${sameKey}
WHERE other.${keys[0] ?? ''} IS NULL
  OR (${['true', ...otherFits].join(' AND ')} AND (other.t < one.t
    OR (other.t = one.t AND one.c IS NOT NULL AND (other.c IS NULL OR other.c < one.c))))`,
    counts: `SELECT (SELECT count(*) FROM ${now} AS one ANTI JOIN ${before} AS other ON ${same}),
  (SELECT count(*) FROM ${before} AS one ANTI JOIN ${now} AS other ON ${sameKey}),
  (SELECT count(*) FROM ${now})`,
    // A row that can't be written leaves what was there.
    state: `SELECT ${stateOf('one')} FROM ${now} AS one WHERE NOT (${isMisfit})
UNION ALL
SELECT ${stateOf('one')} FROM ${before} AS one SEMI JOIN (SELECT * FROM ${now} WHERE ${isMisfit}) AS other ON ${sameKey}`,
  }
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
