import {createHash} from 'node:crypto'
import type {FeatureRows} from '../compile/query.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {Checkpoint, ViewState} from '../registry/registry.js'
import {subtractIntervals} from './intervals.js'
import {parsePosition} from './load-position.js'
import type {LoadRequest, LoadSelection} from './plan-load.js'
import {toRead, type SourceSurvey} from './survey-source.js'

/** A load that another run began and did not end. */
export interface ResumedLoad extends SourceSurvey {
  readonly checkpoint: Checkpoint
  /** The last key of the part that is online. */
  readonly after: readonly Value[]
}

/** Where the rows of a load go. */
export interface LoadTarget {
  readonly table: string
  readonly storeId: string
  /** Those that may take rows with them when they end: the load goes on only where all of them live. */
  readonly servers: readonly string[]
  /** How long after its event time the store keeps a row, in microseconds; undefined: for ever. */
  readonly keepFor: bigint | undefined
}

/**
 * Tells one load from another: what the rows of the view are, where they go and for how long, and the files of its source
 * as they were when it began. Where a file was replaced since, what was read of it is old, and the load begins anew.
 * Undefined where nobody can tell: such a load never goes on.
 */
export async function loadIdentity(
  offline: OfflineStore,
  rows: FeatureRows,
  {table, storeId, servers, keepFor}: LoadTarget,
  begunAt: Instant,
): Promise<string | undefined> {
  const version = await offline.sourceVersion(rows.source, begunAt)
  if (version === undefined) return undefined
  const text = JSON.stringify(
    [rows, table, storeId, [...servers].sort(), keepFor, version],
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  )
  return createHash('sha256').update(text).digest('hex')
}

/** What is left of a load that did not end; undefined where there is none that this request wants, or it must begin anew. */
export async function resumeLoad(
  offline: OfflineStore,
  rows: FeatureRows,
  {
    state,
    target,
    request,
    now,
    lastLoad,
  }: {
    readonly state: ViewState
    readonly target: LoadTarget
    readonly request: LoadRequest
    readonly now: Instant
    /** The number of the last load that the store knows. */
    readonly lastLoad: () => Promise<number>
  },
): Promise<ResumedLoad | undefined> {
  const {checkpoint} = state
  if (checkpoint === undefined) return undefined
  if (!isWanted(checkpoint, state, request)) return undefined
  if ((checkpoint.loadNumber ?? 0) > (await lastLoad())) return undefined
  // An incremental run finds what was added since as late rows; this command asks for all of its interval.
  const upTo = request.command === 'materialize' ? [checkpoint.begunAt, now] : [checkpoint.begunAt]
  for (const instant of upTo)
    if ((await loadIdentity(offline, rows, target, instant)) !== checkpoint.identity) return undefined
  const {intervals, read, arrived, knownBy, arrival} = checkpoint
  const selection: LoadSelection = {
    intervals,
    read,
    ...(arrived === undefined ? {} : {arrived}),
    ...(knownBy === undefined ? {} : {knownBy}),
  }
  const summary = await offline.summarizeSource({kind: 'source_summary', rows, ...toRead(selection)})
  return {selection, summary, arrival, checkpoint, after: parsePosition(rows.keys, checkpoint.after)}
}

/** Whether what the load covers when it has ended is part of what was asked for. */
function isWanted({intervals}: Checkpoint, {covered}: ViewState, request: LoadRequest): boolean {
  if (request.command === 'materialize') {
    const [only] = intervals
    const {start, end} = request.interval
    return intervals.length === 1 && only?.start === start && only.end === end
  }
  // What is too old by now, too: to load it does no harm.
  return intervals.every((interval) => {
    const [missing] = subtractIntervals(interval, covered)
    return missing?.start === interval.start && missing.end === interval.end && interval.end <= request.end
  })
}
