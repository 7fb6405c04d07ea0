import {quoteName, quoteText} from '../../compile/dialects/duckdb-names.js'
import {duckDbTypeOfHive} from '../../compile/dialects/hive-types.js'
import type {CatalogColumn, CatalogTable} from '../../catalog/glue/catalog-table.js'
import type {CatalogPartition, GlueCatalog} from '../../catalog/glue/glue-catalog.js'
import {choosePartitions} from '../../catalog/glue/choose-partitions.js'
import {dayOf} from '../../catalog/glue/partition-days.js'
import type {GlueSource} from '../../definitions/definition.js'
import type {DuckDbSession} from './duckdb-session.js'
import {catalogFiles} from './catalog-files.js'
import {roleBelow} from './find-glue-table.js'
import {listFiles, type FilesOfPartition} from './list-partition-files.js'
import type {SourceForm} from './source-form.js'
import type {TimeRange} from './time-range.js'

/** What a Hive writer calls a partition whose value is null. */
const nullPartition = '__HIVE_DEFAULT_PARTITION__'

/**
 * A table of files that the Glue catalog describes; those of its partitions that may hold rows of `within`. To describe
 * it (`sniffed`) no object is read: the catalog tells names and types.
 */
export async function glueRelation(
  session: DuckDbSession,
  catalog: GlueCatalog,
  {source, table}: {readonly source: GlueSource; readonly table: CatalogTable},
  form: SourceForm,
  within: TimeRange | undefined,
): Promise<string> {
  if (form === 'sniffed') return emptyRelation(table)
  const named = {name: source.name, ...roleBelow(source, table.location)}
  if (table.partitionKeys.length === 0) {
    const files = await listFiles(session, named, [{location: table.location, values: []}])
    return unionOf(session, table, files, form)
  }
  const timeColumn = columnBehind(source, source.timestampField)
  const range =
    within === undefined || source.partitionedBy === undefined
      ? undefined
      : {first: dayOf(within.from), ...(within.to === undefined ? {} : {last: dayOf(within.to)})}
  const chosen = await choosePartitions(catalog, table, timeColumn, range)
  const relation = await unionOf(session, table, await listFiles(session, named, chosen.partitions), form)
  if (chosen.days === undefined) return relation
  // Where rows lie elsewhere than the definition says, none is left out.
  const [first, last] = [chosen.days.first, chosen.days.last].map((day) => `DATE '1970-01-01' + ${day}`)
  const [stray] = await session.rows(
    `SELECT 1 FROM ${relation} AS pruned WHERE TRY_CAST(${quoteName(timeColumn)} AS TIMESTAMP) NOT BETWEEN (${first ?? ''})::TIMESTAMP AND (${last ?? ''} + 1)::TIMESTAMP LIMIT 1`,
  )
  if (stray === undefined) return relation
  const all = await choosePartitions(catalog, table, timeColumn, undefined)
  return unionOf(session, table, await listFiles(session, named, all.partitions), form)
}

/** The type of a column as the catalog says it, for rows that are not there and for partition keys. */
function nativeTypeOf({type}: CatalogColumn): string {
  return duckDbTypeOfHive(type) ?? 'VARCHAR'
}

function emptyRelation({columns, partitionKeys}: CatalogTable): string {
  const all = [...columns, ...partitionKeys].map(
    (column) => `NULL::${nativeTypeOf(column)} AS ${quoteName(column.name)}`,
  )
  return `(SELECT ${all.join(', ')} WHERE false)`
}

/** Partitions whose folders say their values are read together; each of the others by itself. */
async function unionOf(
  session: DuckDbSession,
  table: CatalogTable,
  partitions: readonly FilesOfPartition[],
  form: SourceForm,
): Promise<string> {
  const filled = partitions.filter(({files}) => files.length > 0)
  const isPlain = ({partition}: FilesOfPartition): boolean => saysItsValues(partition, table.partitionKeys)
  const together = filled.filter(isPlain)
  const groups = [
    ...(together.length === 0 ? [] : [together]),
    ...filled.filter((one) => !isPlain(one)).map((one) => [one]),
  ]
  if (groups.length === 0) return emptyRelation(table)
  const selects: string[] = []
  for (const group of groups) selects.push(await selectOf(session, table, group, group === together, form))
  return `(${selects.join(' UNION ALL BY NAME ')})`
}

async function selectOf(
  session: DuckDbSession,
  table: CatalogTable,
  group: readonly FilesOfPartition[],
  byFolder: boolean,
  form: SourceForm,
): Promise<string> {
  const files = group.flatMap((one) => one.files)
  const isHive = byFolder && table.partitionKeys.length > 0
  const reader = catalogFiles(table, files, form, isHive)
  const there = await session.describe(`SELECT * FROM ${reader}`, [])
  const names = new Set(there.map(({name}) => name.toLowerCase()))
  const columns = table.columns.map((column) => {
    const name = quoteName(column.name)
    // A column that was added when these files were there already.
    return names.has(column.name.toLowerCase())
      ? `${name} AS ${name}`
      : `NULL::${nativeTypeOf(column)} AS ${name}`
  })
  const values = group[0]?.partition.values ?? []
  const keys = table.partitionKeys.map((key, index) => {
    const value = values[index]
    const text = isHive
      ? quoteName(key.name)
      : value === undefined || value === nullPartition
        ? 'NULL'
        : quoteText(value)
    return `CAST(${text} AS ${nativeTypeOf(key)}) AS ${quoteName(key.name)}`
  })
  return `SELECT ${[...columns, ...keys].join(', ')} FROM ${reader}`
}

/** Whether the folder ends in `key=value/…`, with values that need no escape. */
function saysItsValues({location, values}: CatalogPartition, keys: readonly CatalogColumn[]): boolean {
  const folders = keys.map(({name}, index) => `${name}=${values[index] ?? ''}`)
  return (
    (values.every((value) => /^[\w.-]+$/.test(value)) && location.endsWith(`/${folders.join('/')}`)) ||
    keys.length === 0
  )
}

/** The column of the table's own that a name stands for after the field mapping. */
function columnBehind({fieldMapping = {}}: GlueSource, name: string): string {
  return Object.entries(fieldMapping).find(([, to]) => to === name)?.[0] ?? name
}
