/** COPY from Parquet: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html */
import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import {columnsOf} from './columns.mjs'
import {exchange, quoted} from './exchange.mjs'
import {NotRedshift, translate} from './translate.mjs'

const form =
  /^\s*copy\s+(?<table>(?:"[^"]+"|[\w#]+)(?:\s*\.\s*(?:"[^"]+"|\w+))?)\s*(?:\((?<columns>[^)]*)\))?\s+from\s+'(?<from>s3:\/\/[^']+)'(?<options>[\s\S]*)$/i

const optionForms = [
  [/^iam_role\s+(?:default\b|'arn:aws:iam::[^']+')/i, {role: true}],
  [/^(?:format\s+(?:as\s+)?)?parquet\b/i, {isParquet: true}],
  [/^manifest\b/i, {manifest: true}],
  [/^(?:statupdate|compupdate)\s+(?:on|off|true|false)\b/i, {}],
  [/^region\s+(?:as\s+)?'[^']+'/i, {}],
  [/^;\s*$/, {}],
]

/** Types of DuckDB that a column takes: a file's must be its own, Redshift casts nothing here. */
const accepted = {
  int2: /^SMALLINT$|^TINYINT$/,
  int4: /^INTEGER$|^SMALLINT$/,
  int8: /^BIGINT$|^INTEGER$/,
  float4: /^FLOAT$/,
  float8: /^DOUBLE$|^FLOAT$/,
  bool: /^BOOLEAN$/,
  date: /^DATE$/,
  timestamp: /^TIMESTAMP/,
  timestamptz: /^TIMESTAMP/,
  numeric: /^DECIMAL/,
  varchar: /^VARCHAR$/,
  bpchar: /^VARCHAR$/,
  varbyte: /^BLOB$/,
  super: /^VARCHAR$/,
}

/**
 * What a COPY asks for; undefined where a statement is none. Throws `NotRedshift` where it is malformed.
 *
 * @param {string} sql
 */
export function parseCopy(sql) {
  if (!/^\s*copy\b/i.test(sql)) return undefined
  const {groups} = form.exec(sql) ?? {}
  if (groups === undefined) throw new NotRedshift("syntax error in COPY: COPY table FROM 's3://…' …")
  let options = {}
  for (let rest = groups.options.trim(); rest !== '';) {
    const known = optionForms.find(([pattern]) => pattern.test(rest))
    if (known === undefined) throw new NotRedshift(`syntax error in COPY at "${rest.slice(0, 40)}"`)
    options = {...options, ...known[1]}
    rest = rest.slice(known[0].exec(rest)[0].length).trim()
  }
  if (options.role !== true) throw new NotRedshift('COPY needs credentials: IAM_ROLE')
  if (options.isParquet !== true) throw new NotRedshift('the stand-in copies Parquet only')
  const list = groups.columns === undefined ? '' : translate(groups.columns).text
  return {table: translate(groups.table).text, list, from: groups.from, ...options}
}

/**
 * Carries it out; returns how many rows were loaded.
 *
 * @param {NonNullable<ReturnType<typeof parseCopy>>} asked
 * @param {{client: import('pg').Client, s3: import('./s3-place.mjs').S3Place, exchangeFolder: string, onDuckDb: (connection: object) => void}} means
 */
export async function copy(asked, {client, s3, exchangeFolder, onDuckDb}) {
  const {table, list} = asked
  const {fields} = await client.query(`SELECT ${list === '' ? '*' : list} FROM ${table} LIMIT 0`)
  const columns = columnsOf(fields)
  const urls = await filesOf(asked, s3)
  if (urls.length === 0) throw new Error(`The specified S3 prefix '${asked.from}' does not exist`)
  let rows = 0
  // One after the other, so that no more than one lies here at a time.
  for (const url of urls)
    rows += await exchange(exchangeFolder, async ({folder, csv, duckDb}) => {
      onDuckDb(duckDb)
      const parquet = join(folder, 'part.parquet')
      await s3.getFile(url, parquet)
      await writeCsv({url, parquet, csv, duckDb, columns})
      chmodSync(csv, 0o644)
      const into = list === '' ? table : `${table} (${list})`
      const {rowCount} = await client.query(`COPY ${into} FROM ${quoted(csv)} (FORMAT csv, NULL E'\\\\N')`)
      return rowCount
    })
  return rows
}

async function filesOf({from, manifest}, s3) {
  if (manifest !== true) return (await s3.list(from)).filter(({bytes}) => bytes > 0).map(({url}) => url)
  return JSON.parse(await s3.getText(from)).entries.map(({url}) => url)
}

async function writeCsv({url, parquet, csv, duckDb, columns}) {
  const described = await duckDb.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${quoted(parquet)})`)
  const found = described.getRowObjects()
  if (found.length !== columns.length)
    throw new Error(
      `Spectrum Scan Error: Unmatched number of columns between table and file. Table columns: ${columns.length}, Data columns: ${found.length}, File name: ${url}`,
    )
  const selected = found.map(({column_name, column_type}, index) => {
    const column = columns[index]
    if (accepted[column.typeName]?.test(column_type) !== true)
      throw new Error(
        `Spectrum Scan Error: File '${url}' has an incompatible Parquet schema for column '${column.name}'. Column type: ${column.typeName}, Parquet schema: ${column_type}`,
      )
    return asCsv(column, `"${column_name.replaceAll('"', '""')}"`, column_type)
  })
  await checkLengths({parquet, duckDb, columns, found})
  await duckDb.run(
    `COPY (SELECT ${selected.join(', ')} FROM read_parquet(${quoted(parquet)})) TO ${quoted(csv)} (FORMAT csv, HEADER false, NULLSTR '\\N')`,
  )
}

function asCsv({typeName}, name, type) {
  if (typeName === 'varbyte') return `'\\x' || hex(${name})`
  // Instants are in UTC, and so is PostgreSQL's session.
  if (typeName.startsWith('timestamp'))
    return type.includes('ZONE') ? `make_timestamp(epoch_us(${name}))` : `CAST(${name} AS TIMESTAMP)`
  return name
}

/** A text has so many bytes at most, not characters. */
async function checkLengths({parquet, duckDb, columns, found}) {
  for (const [index, {name, typeName, precision}] of columns.entries()) {
    if (typeName !== 'varchar' && typeName !== 'bpchar') continue
    const column = `"${found[index].column_name.replaceAll('"', '""')}"`
    const reader = await duckDb.runAndReadAll(
      `SELECT count(*) FROM read_parquet(${quoted(parquet)}) WHERE strlen(${column}) > ${precision}`,
    )
    if (reader.getRows()[0][0] > 0n)
      throw new Error(
        `Spectrum Scan Error: The length of the data column ${name} is longer than the length defined in the table (${precision})`,
      )
  }
}
