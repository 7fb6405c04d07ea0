import type {PointInTimeQuery, RowSelection, SourceSummaryQuery} from '../../compile/query.js'
import type {Instant} from '../../definitions/instant.js'

/** Event times that a read wants: what lies outside it need not be looked at. */
export interface TimeRange {
  readonly from: Instant
  /** Absent: no end. */
  readonly to?: Instant
}

/** The least range that holds all that a selection wants; undefined where it wants rows from the beginning. */
export function timeRangeOf({intervals, arrived}: RowSelection): Required<TimeRange> | undefined {
  const wanted = [...intervals, ...(arrived === undefined ? [] : [arrived.within])]
  let range: Required<TimeRange> | undefined
  for (const {start, end} of wanted) {
    if (start === null) return undefined
    range = {
      from: range === undefined || start < range.from ? start : range.from,
      to: range === undefined || end > range.to ? end : range.to,
    }
  }
  return range
}

/**
 * What a summary reads of a source that is cheaper to read in part: all from the first row that is wanted on, so that
 * its newest is found. What was created when is asked of the whole source.
 */
export function summaryRange(query: SourceSummaryQuery): TimeRange | undefined {
  const {source} = query.rows.source
  if (source.type !== 'glue' || source.createdTimestampColumn !== undefined) return undefined
  const range = timeRangeOf(query)
  return range === undefined ? undefined : {from: range.from}
}

/** The event times that a frame may take from a source; undefined where its entity rows don't tell before they are read. */
export function frameRange({entityRows, joins}: PointInTimeQuery, source: string): TimeRange | undefined {
  if (entityRows.kind !== 'interval' || entityRows.interval.start === null) return undefined
  const {start, end} = entityRows.interval
  let from: Instant = start
  for (const {rows, ttl} of joins) {
    if (rows.source.source.name !== source) continue
    if (ttl === undefined) return undefined
    if (start - ttl < from) from = start - ttl
  }
  return {from, to: end}
}
