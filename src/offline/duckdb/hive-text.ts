/**
 * Text files of Hive: a text that stands for null is null in every column, an empty one only in columns that are no
 * strings, and so are fields that a row is too short for, as where a column was added later.
 */
import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDbTypeOfHive} from '../../compile/dialects/hive-types.js'
import type {CatalogColumn, CatalogFormat} from '../../catalog/glue/catalog-table.js'
import type {SourceForm} from './source-form.js'

type TextFormat = Extract<CatalogFormat, {readonly kind: 'csv'}>

/** No characters, by the standard of Unicode: no text holds them, and the reader must have a delimiter and a null. */
const noDelimiter = '\u{10FFFF}'
const noNull = '\u{10FFFE}'

/** Files as a relation: `list` is the argument of the reading function, `more` are further ones of it. */
export function hiveText(
  format: TextFormat,
  columns: readonly CatalogColumn[],
  list: string,
  more: readonly string[],
  form: SourceForm,
): string {
  const texts = format.quote === '' && format.escape !== '' ? escapedFields : csvFields
  const values = columns.map((column) => `${valueOf(column, form)} AS ${quoteName(column.name)}`)
  return `(SELECT * REPLACE (${values.join(', ')}) FROM ${texts(format, columns, list, more)})`
}

function valueOf({name, type}: CatalogColumn, form: SourceForm): string {
  const text = quoteName(name)
  const native = duckDbTypeOfHive(type) ?? 'VARCHAR'
  const value = native === 'VARCHAR' || native === 'BLOB' ? text : `NULLIF(${text}, '')`
  return form === 'exact' ? value : `CAST(${value} AS ${native})`
}

/** All columns as text. */
function csvFields(
  {delimiter, quote, escape, skip, nullText = noNull}: TextFormat,
  columns: readonly CatalogColumn[],
  list: string,
  more: readonly string[],
): string {
  return `read_csv(${[
    list,
    'auto_detect = false',
    'header = false',
    `skip = ${skip}`,
    `delim = ${quoteText(delimiter)}`,
    `quote = ${quoteText(quote)}`,
    `escape = ${quoteText(escape)}`,
    `nullstr = ${quoteText(nullText)}`,
    'null_padding = true',
    `columns = {${columns.map(({name}) => `${quoteText(name)}: 'VARCHAR'`).join(', ')}}`,
    ...more,
  ].join(', ')})`
}

/**
 * The same where an escape holds without quotes. Whether a field is null is seen before it is unescaped, or `\N` would be
 * the text N; the engine takes no null that holds the escape, and so its reader gives whole lines here.
 */
function escapedFields(
  {delimiter, escape, skip, nullText = noNull}: TextFormat,
  columns: readonly CatalogColumn[],
  list: string,
  more: readonly string[],
): string {
  const line = csvFields(
    {kind: 'csv', delimiter: noDelimiter, quote: '', escape: '', skip},
    [{name: 'hive line', type: 'string'}],
    list,
    more,
  )
  const between = codePoint(delimiter)
  const escaping = codePoint(escape)
  // With a delimiter in front of each field, the last one is no other than those before, and none is found where none is.
  const pattern = `(?s)${between}((?:${escaping}.|[^${between}])*)`
  const raw = `regexp_extract_all(${quoteText(delimiter)} || "hive line", ${quoteText(pattern)}, 1)`
  const fields = columns.map(
    ({name}, index) =>
      `regexp_replace(NULLIF("hive fields"[${index + 1}], ${quoteText(nullText)}), ${quoteText(`(?s)${escaping}(.)`)}, '\\1', 'g') AS ${quoteName(name)}`,
  )
  return `(SELECT ${fields.join(', ')}, * EXCLUDE ("hive line", "hive fields") FROM (SELECT *, ${raw} AS "hive fields" FROM ${line}))`
}

/** A character in a regular expression, whatever it means there. */
function codePoint(character: string): string {
  return `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
