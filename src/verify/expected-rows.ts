/** What of a source must be online, by what its view's state says was loaded. */
import type {RowSelection} from '../compile/query.js'
import type {FeatureView} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import {clipIntervals} from '../materialize/intervals.js'
import {planLoad} from '../materialize/plan-load.js'
import type {ViewState} from '../registry/registry.js'

/** The rows that loads have read and that are served at `now`: the newest of each key is expected. */
export function expectedRows(
  view: Pick<FeatureView, 'ttl' | 'lateness' | 'knowledgeTime'>,
  state: ViewState,
  watermark: Instant,
  now: Instant,
): RowSelection {
  const oldest = oldestServed(view, now)
  const intervals = oldest === undefined ? state.covered : clipIntervals(state.covered, oldest - 1n)
  // What a load up to the watermark may know, a verification may expect.
  const interval = {start: null, end: watermark}
  const {knownBy} = planLoad(view, state, {command: 'materialize', interval}, undefined)
  return {intervals, ...(knownBy === undefined ? {} : {knownBy})}
}

/** Whether a row is one of the selected, as the offline store selects. */
export function isExpected(
  row: {readonly eventTimestamp: Instant; readonly createdTimestamp: Instant | null},
  {intervals, knownBy}: RowSelection,
): boolean {
  const {eventTimestamp: event, createdTimestamp: created} = row
  if (knownBy !== undefined && (created === null || created > knownBy)) return false
  return intervals.some(({start, end}) => (start === null || event > start) && event <= end)
}

/** Rows of before are withheld from readers; undefined: none is. */
export function oldestServed({ttl}: Pick<FeatureView, 'ttl'>, now: Instant): Instant | undefined {
  return ttl === undefined ? undefined : now - ttl
}
