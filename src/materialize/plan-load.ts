/** What a run has to read of one view, and what it then knows: pure arithmetic over what is covered. */
import type {RowSelection} from '../compile/query.js'
import type {FeatureView} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import type {ViewState} from '../registry/registry.js'
import {clipIntervals, mergeIntervals, subtractIntervals} from './intervals.js'

/** What the user asked for. */
export type LoadRequest =
  | {readonly command: 'materialize'; readonly interval: Interval}
  | {readonly command: 'materialize-incremental'; readonly end: Instant}

export interface LoadSelection {
  /** What counts as covered once the load is done. */
  readonly intervals: readonly Interval[]
  /** What is read: `intervals`, and what `lateness` reads again. */
  readonly read: readonly Interval[]
  /** Rows that arrived since the last incremental run, whatever their event time. */
  readonly arrived?: RowSelection['arrived']
  /** With knowledge time: rows created later are not known yet, and arrive with a later run. */
  readonly knownBy?: Instant
}

/**
 * What to load. An incremental run loads all of `[end - ttl, end]` that is not covered yet, the new tail and any hole,
 * and rows that came late: those created after the newest that the last run saw, or in the very same microsecond when
 * the source now holds another number of these (`rowsAtArrival`) than it did.
 */
export function planLoad(
  view: Pick<FeatureView, 'ttl' | 'lateness'> & Partial<Pick<FeatureView, 'knowledgeTime'>>,
  state: ViewState,
  request: LoadRequest,
  rowsAtArrival: number | undefined,
): LoadSelection {
  const end = request.command === 'materialize' ? request.interval.end : request.end
  // What was seen before stays known, so that a load of older intervals leaves no hole.
  const known = view.knowledgeTime === true ? {knownBy: later(end, state.arrival?.created)} : {}
  if (request.command === 'materialize')
    return {intervals: [request.interval], read: [request.interval], ...known}
  const window = windowOf(view, request.end)
  const intervals = subtractIntervals(window, state.covered)
  const read = mergeIntervals([...intervals, ...readAgain(view, state, window)])
  const {arrival} = state
  if (arrival === undefined) return {intervals, read, ...known}
  return {
    intervals,
    read,
    ...known,
    arrived: {
      after: arrival.created,
      orEqual: rowsAtArrival !== undefined && rowsAtArrival !== arrival.rows,
      // Late rows after an `end` of before the watermark too: the next run takes them for seen.
      within: {start: window.start, end: later(window.end, watermarkOf(state))},
    },
  }
}

/** Where coverage ends; undefined when there is none. */
export function watermarkOf(state: ViewState): Instant | undefined {
  return state.covered.at(-1)?.end
}

/** The state after a load. `forgetBefore`: rows up to then were removed for their age, so they are not covered. */
export function stateAfterLoad(
  state: ViewState,
  load: {
    readonly intervals: readonly Interval[]
    readonly arrival: ViewState['arrival']
    readonly newestEventTimestamp: Instant | undefined
    readonly forgetBefore?: Instant | undefined
  },
): ViewState {
  const covered = mergeIntervals([...state.covered, ...load.intervals])
  const {
    newestEventTimestamp: known,
    checkpoint: _ended,
    snapshot: _snapshot,
    begunSyncs: _begun,
    ...rest
  } = state
  const newest = load.newestEventTimestamp === undefined ? known : later(load.newestEventTimestamp, known)
  return {
    ...rest,
    covered: load.forgetBefore === undefined ? covered : clipIntervals(covered, load.forgetBefore),
    ...(newest === undefined ? {} : {newestEventTimestamp: newest}),
    ...(load.arrival === undefined ? {} : {arrival: load.arrival}),
  }
}

/** The instants whose rows an incremental run keeps online: a row exactly ttl old is still served. */
function windowOf(view: Pick<FeatureView, 'ttl'>, end: Instant): Interval {
  return {start: view.ttl === undefined ? null : end - view.ttl - 1n, end}
}

/** `lateness` before the watermark, as far as the window reaches. */
function readAgain(
  view: Pick<FeatureView, 'lateness'>,
  state: ViewState,
  window: Interval,
): readonly Interval[] {
  const watermark = watermarkOf(state)
  if (view.lateness === undefined || watermark === undefined) return []
  const from = watermark - view.lateness
  const start = window.start !== null && window.start > from ? window.start : from
  return [{start, end: watermark < window.end ? watermark : window.end}]
}

function later(a: Instant, b: Instant | undefined): Instant {
  return b === undefined || a > b ? a : b
}
