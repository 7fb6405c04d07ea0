import type {FeatureRows, RowSelection} from '../compile/query.js'
import type {FeatureView} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import type {OfflineStore, SourceSummary} from '../offline/offline-store.js'
import type {ViewState} from '../registry/registry.js'
import {planLoad, type LoadRequest, type LoadSelection} from './plan-load.js'

/** 0001-01-01: what a source without any created row has seen so far, so that its first rows are late ones. */
const beforeAnyRow: Instant = -62_135_596_800_000_000n

/** A source as it is before a load reads it. */
export interface SourceSurvey {
  readonly selection: LoadSelection
  /** Of the selection. */
  readonly summary: SourceSummary
  /** What the next run takes for seen. Rows that come while this one reads are late for it, and harmless when read twice. */
  readonly arrival: ViewState['arrival']
}

/**
 * Looks at the source before it is read: what there is to load, how much that is, and what has arrived. Mostly one pass
 * over keys and times, and a second one over created times when new rows came.
 */
export async function surveySource(
  offline: OfflineStore,
  rows: FeatureRows,
  {
    view,
    state,
    request,
    now,
    signal,
  }: {
    readonly view: FeatureView
    readonly state: ViewState
    readonly request: LoadRequest
    readonly now: Instant
    readonly signal: AbortSignal | undefined
  },
): Promise<SourceSurvey> {
  const known = state.arrival
  const summarize = (selection: RowSelection, countCreatedAt: Instant | undefined): Promise<SourceSummary> =>
    offline.summarizeSource(
      {
        kind: 'source_summary',
        rows,
        ...selection,
        ...(countCreatedAt === undefined ? {} : {countCreatedAt}),
      },
      signal === undefined ? {} : {signal},
    )

  // Whether rows came at the very instant that was seen last decides what is late; mostly none did.
  let selection = planLoad(view, state, request, known?.rows)
  let summary = await summarize(toRead(selection), known?.created)
  if (selection.arrived !== undefined && summary.createdAtCount !== known?.rows) {
    selection = planLoad(view, state, request, summary.createdAtCount)
    summary = await summarize(toRead(selection), known?.created)
  }

  const advances = request.command === 'materialize-incremental' || known === undefined
  if (!advances || rows.source.source.createdTimestampColumn === undefined) {
    return {selection, summary, arrival: known}
  }
  // A row created in the time to come, or later than this load may know, must not make all others look seen.
  const {knownBy = now} = selection
  const created = earliest(summary.newestCreatedTimestamp ?? beforeAnyRow, now, knownBy)
  const atCreated =
    created === known?.created
      ? summary.createdAtCount
      : created === beforeAnyRow
        ? 0
        : (await summarize({intervals: []}, created)).createdAtCount
  return {selection, summary, arrival: {created, rows: atCreated}}
}

/** What a load reads, as the offline store is asked for it. */
export function toRead({read, arrived, knownBy}: LoadSelection): RowSelection {
  return {intervals: read, arrived, knownBy}
}

function earliest(...instants: readonly Instant[]): Instant {
  return instants.reduce((one, other) => (other < one ? other : one))
}
