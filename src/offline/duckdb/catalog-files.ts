import {quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDbTypeOfHive} from '../../compile/dialects/hive-types.js'
import type {CatalogColumn, CatalogTable} from '../../catalog/glue/catalog-table.js'
import {hiveText} from './hive-text.js'
import {escapeGlob} from './source-files.js'
import type {SourceForm} from './source-form.js'

/**
 * Files, each by its very name, as the catalog says they are to be read. Text files have the catalog's columns, by place
 * in CSV and by name in JSON; in the form `exact` their values stay text, to be read as a view declares them.
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
  switch (format.kind) {
    case 'parquet':
      return `read_parquet(${[list, 'union_by_name = true', ...hive].join(', ')})`
    case 'json':
      return `read_json(${[list, "format = 'newline_delimited'", `columns = {${jsonTypes(columns, form).join(', ')}}`, ...hive].join(', ')})`
    case 'csv':
      return hiveText(format, columns, list, hive, form)
    default:
      throw new Error(`files of a ${format.kind} table are not listed`)
  }
}

function jsonTypes(columns: readonly CatalogColumn[], form: SourceForm): readonly string[] {
  return columns.map(({name, type}) => {
    const native = duckDbTypeOfHive(type) ?? 'VARCHAR'
    const isNested = /[[(]/.test(native.replace(/^DECIMAL\(.*\)$/, ''))
    return `${quoteText(name)}: ${quoteText(form === 'exact' && !isNested ? 'VARCHAR' : native)}`
  })
}
