import type {DataSource, Definitions} from '../definitions/definition.js'
import type {DescribedColumn} from './describe-sources.js'

/**
 * Where a catalog and the definitions say different types that still fit each other, in words; what does not fit, or is
 * gone, is a problem that stops a plan. `columns` are those that the catalog tells, by name of the source.
 */
export function catalogDrift(
  {dataSources, featureViews}: Definitions,
  columns: ReadonlyMap<string, readonly DescribedColumn[]>,
): readonly string[] {
  const catalogued = new Map(dataSources.filter(isCatalogued).map((source) => [source.name, source]))
  return featureViews.flatMap((view) => {
    const source = catalogued.get(view.source)
    const told = columns.get(view.source)
    if (source === undefined || told === undefined) return []
    return view.schema.flatMap(({name, valueType}) => {
      const column = told.find((one) => one.name === name)
      if (column?.valueType === undefined || column.valueType === valueType) return []
      return [
        `feature_view/${view.name}: \`${name}\` is declared as ${valueType}, and the catalog says ${column.valueType} for it in ${source.database}.${source.table}. Values that don't fit are rejected one by one: declare it as ${column.valueType} if the table has changed.`,
      ]
    })
  })
}

function isCatalogued(source: DataSource): source is Extract<DataSource, {readonly type: 'glue'}> {
  return source.type === 'glue'
}
