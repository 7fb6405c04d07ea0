/** What is right, by the rule taken literally: a loop over the rows of a key. Both are checked by it. */
import {withDuckDb} from '../lib/parts.mjs'
import {features} from './data.mjs'

/**
 * The features of the newest row of a source with this key at a time: the latest event time, not after it and not older
 * than the ttl, then the latest created time. Undefined where there is none. Times in microseconds.
 */
export function newestAt(rows, atMicros, ttlMicros = Infinity) {
  let newest
  for (const row of rows) {
    if (row.event > atMicros || row.event < atMicros - ttlMicros) continue
    const isNewer =
      newest === undefined ||
      row.event > newest.event ||
      (row.event === newest.event && row.created > newest.created)
    if (isNewer) newest = row
  }
  return newest?.values
}

/** Rows of a source by key, those of some keys only. */
export async function rowsByKey(source, keys) {
  const rows = new Map(keys.map((key) => [key, []]))
  const found = await query(
    `SELECT driver_id::DOUBLE, epoch_us(event_timestamp)::DOUBLE, epoch_us(created)::DOUBLE, ${features.join(', ')}
     FROM '${source}' WHERE driver_id IN (${keys.join(', ')})`,
  )
  for (const [key, event, created, ...values] of found) rows.get(key).push({event, created, values})
  return rows
}

/** Keys and times of entity rows, some of them, by row. */
export async function askedRows(entities, rowIds) {
  const found = await query(
    `SELECT row_id::DOUBLE, driver_id::DOUBLE, epoch_us(event_timestamp)::DOUBLE
     FROM '${entities}' WHERE row_id IN (${rowIds.join(', ')})`,
  )
  return found.map(([rowId, key, atMicros]) => ({rowId, key, atMicros}))
}

/** Features of all views in a frame's rows, some of them, by row: one list for each time that the row is there. */
export async function frameRows(frame, views, rowIds) {
  const rows = new Map(rowIds.map((rowId) => [rowId, []]))
  const names = views.flatMap((view) => features.map((name) => `"${view}__${name}"`))
  const found = await query(
    `SELECT row_id::DOUBLE, ${names.join(', ')} FROM '${frame}' WHERE row_id IN (${rowIds.join(', ')})`,
  )
  for (const [rowId, ...values] of found) rows.get(rowId).push(values)
  return rows
}

/** Rows of arrays: of a few thousand rows at most. */
function query(sql) {
  return withDuckDb(async (connection) => {
    await connection.run("SET TimeZone = 'UTC'")
    const reader = await connection.runAndReadAll(sql)
    return reader.getRows()
  })
}
