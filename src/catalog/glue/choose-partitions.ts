import type {CatalogTable} from './catalog-table.js'
import type {CatalogPartition, GlueCatalog} from './glue-catalog.js'
import {datedKeys, type DayRange} from './partition-days.js'

/** Rows of a day may lie in the partition of the next or of the one before: days begin elsewhere at another time. */
const slack = 1

/**
 * The partitions that may hold rows of some days: all where that can't be told by their keys. `days` are those that the
 * rows of the chosen ones must have, if the partitions follow the event time at all; undefined when none was left out.
 */
export async function choosePartitions(
  catalog: GlueCatalog,
  table: CatalogTable,
  timeColumn: string,
  wanted: DayRange | undefined,
): Promise<{
  readonly partitions: readonly CatalogPartition[]
  readonly days: Required<DayRange> | undefined
}> {
  const dated = wanted === undefined ? undefined : datedKeys(table.partitionKeys, timeColumn)
  if (dated === undefined || wanted === undefined)
    return {partitions: await catalog.partitions(table, undefined), days: undefined}
  const range: DayRange = {
    first: wanted.first - slack,
    ...(wanted.last === undefined ? {} : {last: wanted.last + slack}),
  }
  const found = (await catalog.partitions(table, dated.expression(range))).map((partition) => ({
    partition,
    days: dated.daysOf(partition.values),
  }))
  const chosen = found.filter(
    ({days}) =>
      days === undefined ||
      (days.last >= range.first && (range.last === undefined || days.first <= range.last)),
  )
  const days = chosen.map((one) => one.days)
  const known = days.filter((one) => one !== undefined)
  return {
    partitions: chosen.map(({partition}) => partition),
    // Of a partition without a day nothing can be said.
    days:
      known.length < days.length || known.length === 0
        ? undefined
        : {
            first: known.reduce((least, {first}) => Math.min(least, first), Infinity) - slack,
            last: known.reduce((most, {last}) => Math.max(most, last), -Infinity) + slack,
          },
  }
}
