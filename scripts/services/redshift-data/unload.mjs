/** UNLOAD as Parquet: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html */
import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import pg from 'pg'
import {columnsOf} from './columns.mjs'
import {exchange, quoted} from './exchange.mjs'
import {closing, is, meaningful, tokens} from './tokens.mjs'
import {NotRedshift, translate} from './translate.mjs'

const form =
  /^\s*unload\s*\(\s*(?:'(?<quoted>(?:[^'\\]|''|\\[\s\S])*)'|\$\$(?<plain>[\s\S]*?)\$\$)\s*\)\s*to\s*'(?<prefix>(?:[^']|'')+)'(?<options>[\s\S]*)$/i

/** A cluster of two slices writes two parts, unless it is told to write one after the other. */
const slices = 2

/**
 * What an UNLOAD asks for; undefined where a statement is none. Throws `NotRedshift` where it is malformed.
 *
 * @param {string} sql
 */
export function parseUnload(sql) {
  if (!/^\s*unload\b/i.test(sql)) return undefined
  const {groups} = form.exec(sql) ?? {}
  if (groups === undefined) throw new NotRedshift("syntax error in UNLOAD: UNLOAD ('select') TO 's3://…' …")
  const select = groups.plain ?? groups.quoted.replaceAll(/['\\]([\s\S])/g, '$1')
  if (!/^s3:\/\/[^/]+\/./.test(groups.prefix))
    throw new NotRedshift(`UNLOAD to no place in S3: ${groups.prefix}`)
  if (/\/[_.][^/]*$/.test(groups.prefix))
    throw new NotRedshift('a prefix of UNLOAD must not begin with _ or .')
  if (hasOuterLimit(select))
    throw new NotRedshift('LIMIT clause is not supported in the outer SELECT of UNLOAD')
  return {select, prefix: groups.prefix, ...parseOptions(groups.options)}
}

const optionForms = [
  [/^iam_role\s+(?:default\b|'arn:aws:iam::[^']+')/i, () => ({role: true})],
  [/^format\s+(?:as\s+)?parquet\b|^parquet\b/i, () => ({isParquet: true})],
  [/^manifest\b(?!\s+verbose)/i, () => ({manifest: true})],
  [/^allowoverwrite\b/i, () => ({allowOverwrite: true})],
  [/^cleanpath\b/i, () => ({cleanPath: true})],
  [/^parallel\s+(on|true|off|false)\b/i, ([, word]) => ({parallel: /on|true/i.test(word)})],
  [
    /^maxfilesize\s+(?:as\s+)?([\d.]+)\s*(mb|gb)?\b/i,
    ([, size, unit = 'mb']) => ({maxFileBytes: Number(size) * 1024 ** (/gb/i.test(unit) ? 3 : 2)}),
  ],
  [/^rowgroupsize\s+(?:as\s+)?\d+\s*(?:mb|gb)?\b/i, () => ({})],
  [/^region\s+(?:as\s+)?'[^']+'/i, () => ({})],
  [/^(?:kms_key_id\s+(?:as\s+)?'[^']+'|encrypted(?:\s+auto)?\b)/i, () => ({})],
  [/^;\s*$/, () => ({})],
]

function parseOptions(text) {
  let options = {parallel: true, maxFileBytes: 6.2 * 1024 ** 3}
  for (let rest = text.trim(); rest !== '';) {
    const known = optionForms.find(([pattern]) => pattern.test(rest))
    if (known === undefined) throw new NotRedshift(`syntax error in UNLOAD at "${rest.slice(0, 40)}"`)
    const found = known[0].exec(rest)
    options = {...options, ...known[1](found)}
    rest = rest.slice(found[0].length).trim()
  }
  if (options.role !== true) throw new NotRedshift('UNLOAD needs credentials: IAM_ROLE')
  if (options.isParquet !== true) throw new NotRedshift('the stand-in unloads Parquet only')
  if (options.maxFileBytes < 5 * 1024 ** 2 || options.maxFileBytes > 6.2 * 1024 ** 3)
    throw new NotRedshift('MAXFILESIZE must be between 5 MB and 6.2 GB')
  return options
}

function hasOuterLimit(select) {
  const all = meaningful(tokens(select))
  for (let index = 0; index < all.length; index++) {
    if (is(all[index], '(')) index = closing(all, index)
    else if (is(all[index], 'limit') || (is(all[index], 'top') && all[index + 1]?.kind === 'number'))
      return true
  }
  return false
}

/**
 * Carries it out; returns how many rows were written. No rows make no object, not even the manifest, as clients of Redshift tell:
 * https://github.com/aws/aws-sdk-pandas/issues/2052
 *
 * @param {NonNullable<ReturnType<typeof parseUnload>>} asked
 * @param {{client: import('pg').Client, s3: import('./s3-place.mjs').S3Place, exchangeFolder: string, onDuckDb: (connection: object) => void}} means
 */
export async function unload(asked, {client, s3, exchangeFolder, onDuckDb}) {
  const {text, parameters} = translate(asked.select)
  if (parameters.length > 0) throw new NotRedshift('parameters are not read inside the text of UNLOAD')
  await emptyPlace(asked, s3)
  const {fields} = await client.query({
    text: `SELECT * FROM (${text}\n) AS unloaded LIMIT 0`,
    rowMode: 'array',
  })
  const columns = columnsOf(fields)
  const names = columns.map(({name}) => name)
  if (new Set(names).size < names.length) throw new NotRedshift('UNLOAD with two columns of one name')
  return exchange(exchangeFolder, async ({folder, csv, duckDb}) => {
    onDuckDb(duckDb)
    // A line with nothing on it would be no row to DuckDB.
    const texts = columns
      .filter(({typeName}) => isText.has(typeName))
      .map(({name}) => pg.escapeIdentifier(name))
    const quoting = texts.length === 0 ? '' : `, FORCE_QUOTE (${texts.join(', ')})`
    const {rowCount} = await client.query(
      `COPY (${text}\n) TO ${quoted(csv)} (FORMAT csv, NULL E'\\\\N'${quoting})`,
    )
    await client.query("SELECT set_config('redshift.last_unload_count', $1, false)", [String(rowCount)])
    if (rowCount === 0) return 0
    const files = await writeParts(asked, {folder, csv, duckDb, columns, rowCount})
    const entries = []
    for (const {file, name} of files) {
      const bytes = statSync(file).size
      await s3.putFile(`${asked.prefix}${name}`, file, bytes)
      entries.push({url: `${asked.prefix}${name}`, meta: {content_length: bytes}})
    }
    if (asked.manifest === true) await s3.putText(`${asked.prefix}manifest`, JSON.stringify({entries}))
    return rowCount
  })
}

async function emptyPlace({prefix, allowOverwrite, cleanPath}, s3) {
  let found
  try {
    found = await s3.list(prefix)
  } catch (error) {
    throw new Error(
      `S3ServiceException:${error.message},Status ${error.$metadata?.httpStatusCode},Error ${error.name}`,
    )
  }
  if (cleanPath === true) for (const {url} of found) await s3.remove(url)
  else if (found.length > 0 && allowOverwrite !== true)
    throw new Error(
      'Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.',
    )
}

async function writeParts({parallel, maxFileBytes}, {folder, csv, duckDb, columns, rowCount}) {
  const rows = `SELECT ${columns.map(asParquet).join(', ')} FROM ${readCsv(csv, columns)}`
  const parquet = `FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880`
  if (!parallel) {
    const written = await writeCapped(duckDb, rows, join(folder, 'serial'), parquet, maxFileBytes)
    return written.map((file, part) => ({file, name: `${String(part).padStart(3, '0')}.parquet`}))
  }
  const parts = []
  const busy = Math.max(1, Math.min(slices, rowCount))
  for (let slice = 0; slice < busy; slice++) {
    const numbered = `SELECT *, row_number() OVER () AS unloaded_row FROM (${rows})`
    const share = `SELECT * EXCLUDE (unloaded_row) FROM (${numbered}) WHERE unloaded_row % ${busy} = ${slice}`
    const written = await writeCapped(duckDb, share, join(folder, `slice-${slice}`), parquet, maxFileBytes)
    for (const [part, file] of written.entries())
      parts.push({
        file,
        name: `${String(slice).padStart(4, '0')}_part_${String(part).padStart(2, '0')}.parquet`,
      })
  }
  return parts
}

async function writeCapped(duckDb, rows, target, parquet, maxFileBytes) {
  const cap = `FILE_SIZE_BYTES ${Math.floor(maxFileBytes)}`
  await duckDb.run(`COPY (${rows}) TO ${quoted(target)} (${parquet}, ${cap})`)
  if (statSync(target).isFile()) return [target]
  const numberOf = (name) => Number(/\d+/.exec(name)?.[0] ?? 0)
  return readdirSync(target)
    .sort((one, other) => numberOf(one) - numberOf(other))
    .map((name) => join(target, name))
}

/** The type that a column has in the file of PostgreSQL's rows. */
function csvType({name, typeName, precision, scale, isBare}) {
  if (isBare)
    throw new NotRedshift(
      `the stand-in does not know the digits of column "${name}": cast it to DECIMAL(precision, scale)`,
    )
  const fixed = {
    int2: 'SMALLINT',
    int4: 'INTEGER',
    int8: 'BIGINT',
    float4: 'FLOAT',
    float8: 'DOUBLE',
    bool: 'BOOLEAN',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    // Printed with its offset, which is UTC's; the zone is not kept.
    timestamptz: 'VARCHAR',
    numeric: `DECIMAL(${precision}, ${scale})`,
    varchar: 'VARCHAR',
    bpchar: 'VARCHAR',
    super: 'VARCHAR',
    varbyte: 'VARCHAR',
  }[typeName]
  if (fixed === undefined)
    throw new NotRedshift(`UNLOAD as Parquet has no type for column "${name}" (${typeName})`)
  return fixed
}

/** The longest row of PostgreSQL's file. DuckDB's buffers hold two; unless it is told, sixteen, of which few fit into its memory. */
const lineBytes = 16 * 1024 ** 2

const isText = new Set(['varchar', 'bpchar', 'super'])

function asParquet({name, typeName}) {
  const column = `"${name.replaceAll('"', '""')}"`
  if (typeName === 'varbyte') return `unhex(substr(${column}, 3)) AS ${column}`
  // As JSON_SERIALIZE does it.
  if (typeName === 'super')
    return `regexp_replace(${column}, '("(?:[^"\\\\]|\\\\.)*")|([:,]) ', '\\1\\2', 'g') AS ${column}`
  if (typeName === 'timestamptz')
    return `CAST(regexp_replace(${column}, '\\+00$', '') AS TIMESTAMP) AS ${column}`
  return column
}

function readCsv(csv, columns) {
  const types = columns.map((column) => `${quoted(column.name)}: ${quoted(csvType(column))}`)
  return (
    `read_csv(${quoted(csv)}, columns = {${types.join(', ')}}, auto_detect = false, header = false, delim = ',', quote = '"', ` +
    `escape = '"', nullstr = '\\N', allow_quoted_nulls = false, parallel = false, new_line = '\\n', ` +
    `max_line_size = ${lineBytes}, buffer_size = ${2 * lineBytes})`
  )
}
