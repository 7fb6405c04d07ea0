import {quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDbTypeOfHive} from '../../compile/dialects/hive-types.js'
import type {CatalogTable} from '../../catalog/glue/catalog-table.js'
import {escapeGlob} from './source-files.js'
import type {SourceForm} from './source-form.js'

/**
 * Files, each by its very name, as the catalog says they are to be read. Text files have the catalog's columns, by place in CSV and by name in
 * JSON; in the form `exact` their values stay text, to be read as a view declares them.
 */
export function catalogFiles(
  {format, columns}: CatalogTable,
  files: readonly string[],
  form: SourceForm,
  isHive: boolean,
): string {
  const list = `[${files.map((file) => quoteText(escapeGlob(file))).join(', ')}]`
  const hive = isHive
    ? ['hive_partitioning = true', 'hive_types_autocast = false']
    : ['hive_partitioning = false']
  const types = columns.map(({name, type}) => {
    const native = duckDbTypeOfHive(type) ?? 'VARCHAR'
    const isNested = /[[(]/.test(native.replace(/^DECIMAL\(.*\)$/, ''))
    return `${quoteText(name)}: ${quoteText(form === 'exact' && !(isNested && format.kind === 'json') ? 'VARCHAR' : native)}`
  })
  switch (format.kind) {
    case 'parquet':
      return `read_parquet(${[list, 'union_by_name = true', ...hive].join(', ')})`
    case 'json':
      return `read_json(${[list, "format = 'newline_delimited'", `columns = {${types.join(', ')}}`, ...hive].join(', ')})`
    case 'csv':
      return `read_csv(${[
        list,
        'auto_detect = false',
        'header = false',
        `skip = ${format.skip}`,
        `delim = ${quoteText(format.delimiter)}`,
        `quote = ${quoteText(format.quote)}`,
        `escape = ${quoteText(format.escape)}`,
        // Hive writes null as \\N, where that is no escape, and reads an empty number as null.
        format.escape === '\\' ? `nullstr = ''` : `nullstr = ['', '\\N']`,
        // Rows that were written before a column was added.
        'null_padding = true',
        `columns = {${types.join(', ')}}`,
        ...hive,
      ].join(', ')})`
    default:
      throw new Error(`files of a ${format.kind} table are not listed`)
  }
}
