/** What both are given: the same Parquet files, made by hashes of row numbers, so that every run makes the same. */
import {join} from 'node:path'
import {features} from '../lib/driver-repo.mjs'
import {withDuckDb} from '../lib/parts.mjs'

export {features}
/** 2024-01-01; all event times lie in the 30 days from there. */
export const startMicros = Date.UTC(2024) * 1000
export const days = 30

/**
 * A source of one view. Of its rows 1 % are corrections: the key and the event time of another one, other values, created
 * later.
 */
export function writeSource(file, {rows, keys, seed}) {
  const firsts = rows - Math.floor(rows / 100)
  // The row itself, or the one that it corrects.
  const first = `(CASE WHEN range < ${firsts} THEN range ELSE (range - ${firsts}) * 97 % ${firsts} END)`
  const values = features.map(
    (name, index) => `hash(range * 10 + ${index}, ${seed}) / 1.8446744073709552e19 AS ${name}`,
  )
  return write(
    file,
    `SELECT driver_id, make_timestamptz(event) AS event_timestamp, make_timestamptz(event + delay) AS created, ${features.join(', ')}
     FROM (
       SELECT (hash(${first}, ${seed}, 'key') % ${keys})::BIGINT AS driver_id,
         ${microsOf(`hash(${first}, ${seed}, 'event')`)} AS event,
         ((hash(range, ${seed}, 'created') % 3600 + (CASE WHEN range < ${firsts} THEN 0 ELSE 3600 END)) * 1000000)::BIGINT AS delay,
         ${values.join(', ')}
       FROM range(${rows}))`,
  )
}

/** Entity rows: 1 % have a key that no source knows, and the last 0.5 % ask the same as the first ones. */
export function writeEntities(file, {rows, keys}) {
  const repeats = Math.floor(rows / 200)
  const asked = `(range % ${rows - repeats})`
  return write(
    file,
    `SELECT range AS row_id,
       (hash(${asked}, 'entity') % ${keys} + (CASE WHEN ${asked} % 100 = 50 THEN ${keys} ELSE 0 END))::BIGINT AS driver_id,
       make_timestamptz(${microsOf(`hash(${asked}, 'asked')`)}) AS event_timestamp
     FROM range(${rows})`,
  )
}

function microsOf(hash) {
  return `(${startMicros} + (${hash} % ${days * 86_400}) * 1000000)::BIGINT`
}

function write(file, query) {
  return withDuckDb(async (connection) => {
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet)`)
  })
}

export const sourceFile = (folder, view) => join(folder, `${view}.parquet`)
export const entitiesFile = (folder) => join(folder, 'entities.parquet')
