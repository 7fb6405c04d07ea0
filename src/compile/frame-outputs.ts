import {quoteName, quoteText} from './dialects/duckdb-names.js'
import type {ViewJoin} from './query.js'
import {raise} from './raise.js'
import {checkedFeatures, featureName, keyName, misfitName, type ReadableSource} from './source-rows.js'

/**
 * A view's columns of a training frame, in DuckDB, in the order in which they were asked for; a value that doesn't fit its
 * declared type fails the statement. `column` finds a column of the chosen row: `k0`, `f0`, `m0`, …
 */
export function frameOutputs(
  join: ViewJoin,
  source: ReadableSource,
  column: (name: string) => string,
): readonly string[] {
  const {rows} = join
  const unfit = checkedFeatures({rows, source})
  const key = `concat_ws(', ', ${rows.keys.map(({name}, index) => `${quoteText(`${name}=`)} || ${column(keyName(index))}::VARCHAR`).join(', ')})`
  return join.outputs.map(({feature, as}) => {
    const index = rows.features.findIndex((one) => one.name === feature)
    const value = inOwnType(join, source, feature, column(featureName(index)))
    if (!unfit.has(index)) return `${value} AS ${quoteName(as)}`
    const misfit = column(misfitName(index))
    const raised = raise('FS_VALUE_OUT_OF_RANGE', [quoteText(rows.view), quoteText(feature), key, misfit])
    return `CASE WHEN ${misfit} IS NOT NULL THEN ${raised} ELSE ${value} END AS ${quoteName(as)}`
  })
}

/** An instant keeps its zone where the source has one. */
function inOwnType({rows}: ViewJoin, {columns}: ReadableSource, feature: string, value: string): string {
  const column = columns.find((one) => one.name.toLowerCase() === feature.toLowerCase())
  const declared = rows.features.find((one) => one.name === feature)?.valueType
  return declared === 'timestamp' && column?.nativeType === 'TIMESTAMP WITH TIME ZONE'
    ? `${value}::TIMESTAMPTZ`
    : value
}
