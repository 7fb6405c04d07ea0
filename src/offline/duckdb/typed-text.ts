import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import type {ReadableSource} from '../../compile/source-rows.js'
import type {DuckDbSession} from './duckdb-session.js'
import {csvFiles, jsonFiles} from './file-relation.js'
import type {SourceFiles} from './source-files.js'

/**
 * CSV or JSON files with column types that hold every value of theirs: all rows are looked at, not the first thousands,
 * and what a DOUBLE would round (a number of 20 digits) stays text, as do `texts`.
 */
export async function typedText(
  session: DuckDbSession,
  files: SourceFiles,
  texts: readonly string[] = [],
): Promise<string> {
  const sniffed = await session.describe(`SELECT * FROM ${reader(files, [], new Set())}`, [])
  const known = new Set(texts.filter((name) => sniffed.some((column) => column.name === name)))
  const doubles = sniffed.filter(({name, nativeType}) => nativeType === 'DOUBLE' && !known.has(name))
  const rounded = await roundedColumns(
    session,
    files,
    sniffed,
    doubles.map(({name}) => name),
  )
  return reader(files, sniffed, new Set([...known, ...rounded]))
}

/** The columns of which some value is not what its DOUBLE says, told by its significant digits. */
async function roundedColumns(
  session: DuckDbSession,
  files: SourceFiles,
  columns: ReadableSource['columns'],
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return []
  const digits = (text: string): string =>
    `trim(regexp_replace(regexp_replace(lower(${text}), 'e.*$', ''), '[^0-9]', '', 'g'), '0')`
  const isRounded = names.map((name) => {
    const column = quoteName(name)
    return `coalesce(bool_or(${digits(column)} <> ${digits(`(${column}::DOUBLE)::VARCHAR`)}), false)`
  })
  const asText = reader(files, columns, new Set(names))
  const [row = []] = await session.rows(`SELECT ${isRounded.join(', ')} FROM ${asText}`)
  return names.filter((_, index) => row[index] === true)
}

/** `texts` are read as they stand; other columns by the types that the engine finds in all rows. */
function reader(files: SourceFiles, columns: ReadableSource['columns'], texts: ReadonlySet<string>): string {
  const whole = 'sample_size = -1'
  if (texts.size === 0) return files.format === 'csv' ? csvFiles(files, [whole]) : jsonFiles(files, [whole])
  const typesOf = (chosen: ReadableSource['columns']): string =>
    chosen
      .map(
        ({name, nativeType}) => `${quoteText(name)}: ${quoteText(texts.has(name) ? 'VARCHAR' : nativeType)}`,
      )
      .join(', ')
  return files.format === 'csv'
    ? csvFiles(files, [whole, `types = {${typesOf(columns.filter(({name}) => texts.has(name)))}}`])
    : jsonFiles(files, [`columns = {${typesOf(columns)}}`])
}
