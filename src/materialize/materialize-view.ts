/** One view's part of a run, from what it has to read to what it leaves in the registry. */
import {featureRowsOf} from '../compile/feature-rows.js'
import type {FeatureView} from '../definitions/definition.js'
import {formatInstant, type Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import {FeatureStoreError} from '../errors.js'
import type {SourceSummary} from '../offline/offline-store.js'
import type {OnlineStore, OnlineTable, RowLife} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import {giveStoreIdentity} from '../online/store-identity.js'
import type {Checkpoint, RegistryDocument, ViewState} from '../registry/registry.js'
import {loadedState} from '../registry/replacement.js'
import {mergeIntervals} from './intervals.js'
import type {AcknowledgedBatch} from './acknowledged-position.js'
import {loadDurably, noteDurably} from './load-durably.js'
import {loadView, rejectIncomplete, type ViewLoad} from './load-view.js'
import type {MaterializationContext} from './materialization-options.js'
import {stateAfterLoad, watermarkOf, type LoadRequest, type LoadSelection} from './plan-load.js'
import {surveySource, toRead} from './survey-source.js'
import {loadIdentity, resumeLoad} from './resume-load.js'
import {syncSnapshot} from './sync-snapshot.js'
import {leaseLost} from './view-lease.js'
import type {ViewTally} from './view-tally.js'

/** Loads of more keys go through them in order, and can go on where a killed run ended. Others are quickly done again. */
const keysOfLongLoad = 100_000
const writtenAgain =
  'a server of the online store ended during the load and may have lost rows that it had taken, so all of it was written again'
/** Of rows that were counted and kept before. */
const uncounted: ViewLoad['tally'] = {addWritten: () => undefined, rejects: {add: () => Promise.resolve()}}
/** How often space is reclaimed when `expire_after` is 0. */
const shortestReclaimPeriod = 3_600_000_000n

/** The state of the view to register, made from the document that is registered by then. Throws where it must not be. */
export type CoverageCommit = (current: RegistryDocument) => ViewState

/** A part of a view that is online and not yet registered as such. */
export interface LoadedPart {
  readonly commit: CoverageCommit
  /** Whether more is due: this part ended what another run had begun. */
  readonly hasMore: boolean
}

/**
 * Loads a view that this run holds, as `document` has it, or what is left of a load of it that did not end. When it
 * throws, what was written stays, which is harmless, and nothing counts as covered; the same until the commit is in the
 * registry.
 */
export async function materializeView(
  name: string,
  document: RegistryDocument,
  request: LoadRequest,
  context: MaterializationContext,
  tally: ViewTally,
): Promise<LoadedPart> {
  const {signal, runId, writer, clock, onProgress} = context
  const {view, state: kept} = registered(name, document)
  const state = loadedState(kept)
  const online = await context.openOnlineStore()
  const table = onlineTableOf(view, document.definitions, state.table)
  // Also in a store that feature_store.yaml names since the view was applied.
  const isKnown = state.storeId !== undefined && (await online.listTables()).includes(table.name)
  if (!isKnown || kept.replacement !== undefined) await online.prepare([table])
  const storeId = await giveStoreIdentity(online, state.storeId)
  const offline = await context.openOfflineStore()
  onProgress?.({view: name, phase: 'reading', rows: 0})
  const asDefined = featureRowsOf(view, document.definitions)
  const {tree, snapshots} = await context.pins.pin(offline, asDefined.source)
  const rows = {...asDefined, source: tree}
  tally.snapshots = snapshots
  if (view.sync === 'snapshot') {
    const {loadNumber, stateAfter} = await syncSnapshot({
      rows,
      table,
      state,
      offline,
      online,
      storeId,
      request,
      context,
      tally,
    })
    return {hasMore: false, commit: committing(name, document, {context, storeId, loadNumber}, stateAfter)}
  }
  const begunAt = clock()
  const servers = await online.volatileServers(signal)
  const target = {table: table.name, storeId, servers, keepFor: lifeOf(view, context)?.keepFor}
  const lastLoad = (): Promise<number> => online.loads.last(table.name, signal)
  const resumed = await resumeLoad(offline, rows, {state, target, request, now: begunAt, lastLoad})
  if (resumed !== undefined) goOn(tally, resumed.checkpoint)
  // Before the source is looked at: what changes from here on is another load's.
  const identity = resumed?.checkpoint.identity ?? (await loadIdentity(offline, rows, target, begunAt))
  const survey =
    resumed ?? (await surveySource(offline, rows, {view, state, request, now: context.now(), signal}))
  const {selection, summary, arrival} = survey
  tally.read += summary.rows
  signal?.throwIfAborted()

  const isLong = resumed !== undefined || summary.approximateKeys >= keysOfLongLoad
  const query = {
    kind: 'latest_per_entity',
    rows,
    ...toRead(selection),
    order: isLong ? 'key' : online.writeOrder,
    after: resumed?.after,
  } as const
  if (summary.incompleteRows > 0) await rejectIncomplete({query, offline, tally, signal})
  let {loadNumber} = state
  if (summary.rows > summary.incompleteRows) {
    const onRows = (): void =>
      onProgress?.({
        view: name,
        phase: 'writing',
        rows: tally.settled,
        approximateTotal: summary.approximateKeys,
      })
    const into = {online, table, loadNumber: state.loadNumber ?? 0, signal}
    const begun = resumed?.checkpoint ?? {
      begunAt,
      // What is online of it may be gone when another run goes on, and all before it be there still.
      ...(isLong ? {loadNumber: await noteDurably(into)} : {}),
      rows: 0,
      rejected: 0,
    }
    const onPosition = ({after, settled, rejected}: AcknowledgedBatch): void => {
      if (identity === undefined) return
      context.saveCheckpoint(name, {
        runId,
        begunAt: begun.begunAt,
        identity,
        ...(begun.loadNumber === undefined ? {} : {loadNumber: begun.loadNumber}),
        ...selection,
        ...(arrival === undefined ? {} : {arrival}),
        ...(tally.newestEventTimestamp === undefined
          ? {}
          : {newestEventTimestamp: tally.newestEventTimestamp}),
        after,
        rows: begun.rows + settled,
        // Not those without a key or a time: who goes on finds them again.
        rejected: begun.rejected + rejected,
      })
    }
    const life = lifeOf(view, context)
    const isInKeyOrder = query.order === 'key'
    const options = signal === undefined ? {} : {signal}
    const load = {isInKeyOrder, table, online, writer, life, signal, onRows}
    loadNumber = await loadDurably(into, servers, async (attempt) => {
      if (attempt === 1) {
        const batches = offline.readLatest(query, options)
        return loadView({...load, batches, tally, onPosition})
      }
      tally.notes = [...tally.notes, writtenAgain]
      // All that this load has ever written, which was counted.
      const batches = offline.readLatest({...query, after: undefined}, options)
      return loadView({...load, batches, tally: uncounted})
    })
  }

  const forgetBefore = await reclaimSpace(view, state, request, {table, online}, context, tally)
  tally.intervals = mergeIntervals([...tally.intervals, ...selection.intervals])
  if (request.command === 'materialize-incremental')
    tally.notes = [...tally.notes, ...aheadNotes(state, request.end)]
  if (summary.rows === 0) tally.notes = [...tally.notes, emptyNote(selection, summary)]
  else tally.notes = [...tally.notes, ...expiredNotes(view, endOf(request), context)]
  const {newestEventTimestamp} = tally
  const load = {intervals: selection.intervals, arrival, newestEventTimestamp, forgetBefore}
  return {
    hasMore: resumed !== undefined && request.command === 'materialize-incremental',
    commit: committing(name, document, {context, storeId, loadNumber}, (now) => stateAfterLoad(now, load)),
  }
}

/** A commit of a view that is still what it was and is held by this run. */
function committing(
  name: string,
  document: RegistryDocument,
  {
    context,
    storeId,
    loadNumber,
  }: {
    readonly context: MaterializationContext
    readonly storeId: string
    /** Undefined where none ever wrote. */
    readonly loadNumber: number | undefined
  },
  stateAfter: (now: ViewState) => ViewState,
): CoverageCommit {
  const before = identityOf(name, document)
  return (current) => {
    const now = current.views[name]
    if (now === undefined || identityOf(name, current) !== before) throw viewChanged()
    if (now.lease?.runId !== context.runId) throw leaseLost()
    return {...stateAfter(loadedState(now)), storeId, ...(loadNumber === undefined ? {} : {loadNumber})}
  }
}

/** Counts what another run did of the load. */
function goOn(tally: ViewTally, {runId, rows, rejected, newestEventTimestamp}: Checkpoint): void {
  tally.notes = [...tally.notes, `goes on where run ${runId} ended, after ${rows} rows`]
  tally.rejectedBefore = rejected
  tally.newestEventTimestamp = newestEventTimestamp
}

/** Something was applied since the run began that makes its rows another view's. */
export function viewChanged(): FeatureStoreError {
  return new FeatureStoreError(
    'FS_VIEW_CHANGED',
    'An apply changed the view while this run loaded it, so nothing counts as loaded.',
    {hint: 'Run it again: it then loads what the changed view needs.'},
  )
}

/**
 * Frees the space of rows that are too old for any read, when the watermark passes a multiple of `expire_after`: about
 * once in that time and not with every run. Returns up to when rows are gone.
 */
async function reclaimSpace(
  view: FeatureView,
  state: ViewState,
  request: LoadRequest,
  {table, online}: {readonly table: OnlineTable; readonly online: OnlineStore},
  context: MaterializationContext,
  tally: ViewTally,
): Promise<Instant | undefined> {
  const {expireAfter} = context
  const watermark = watermarkOf(state)
  const end = endOf(request)
  const period = expireAfter > shortestReclaimPeriod ? expireAfter : shortestReclaimPeriod
  const before = expiredBefore(view, context)
  if (before === undefined || watermark === undefined || end / period <= watermark / period) return undefined
  try {
    tally.deleted += await online.removeExpired(table, before)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    tally.notes = [...tally.notes, `expired rows still take space: ${reason}`]
  }
  return before - 1n
}

/** Rows of earlier event times are too old for any read; undefined where none ever is. */
function expiredBefore({ttl}: FeatureView, context: MaterializationContext): Instant | undefined {
  return ttl === undefined ? undefined : earlierNow(context) - ttl - context.expireAfter
}

/** Who loads what is long past may mean another present. */
function expiredNotes(view: FeatureView, end: Instant, context: MaterializationContext): readonly string[] {
  const before = expiredBefore(view, context)
  if (before === undefined || end >= before) return []
  return [
    `all rows up to ${formatInstant(end)} are past the ttl and \`expire_after\`, and do not stay online; \`--now\` loads as of another time`,
  ]
}

function endOf(request: LoadRequest): Instant {
  return request.command === 'materialize' ? request.interval.end : request.end
}

/** A store may forget a row a grace period after it is too old to be served. */
function lifeOf({ttl}: FeatureView, context: MaterializationContext): RowLife | undefined {
  return ttl === undefined ? undefined : {keepFor: ttl + context.expireAfter, now: earlierNow(context)}
}

/** A `now` that was set ahead for a trial must not cost rows that are still served. */
function earlierNow({now, clock}: Pick<MaterializationContext, 'now' | 'clock'>): Instant {
  const [data, machine] = [now(), clock()]
  return data < machine ? data : machine
}

/** Throws FS_VIEW_CHANGED where the view is not there to be loaded. */
export function registered(
  name: string,
  {definitions, views}: RegistryDocument,
): {readonly view: FeatureView; readonly state: ViewState} {
  const view = definitions.featureViews.find((one) => one.name === name)
  const state = views[name]
  if (view?.online !== true || state === undefined) throw viewChanged()
  return {view, state}
}

/** All that decides what the rows of a view are, and for how long. */
function identityOf(name: string, {definitions, views}: RegistryDocument): string {
  const view = definitions.featureViews.find((one) => one.name === name)
  if (view === undefined) return ''
  const {online, sync, ttl} = view
  const {table, replacement} = views[name] ?? {}
  const rows = featureRowsOf(view, definitions)
  return JSON.stringify([rows, online, sync, String(ttl), table, replacement?.table])
}

function emptyNote(selection: LoadSelection, summary: SourceSummary): string {
  const newest = summary.newestEventTimestamp
  const found =
    newest === null
      ? 'the source has no row with an event time'
      : `newest row in the source is ${formatInstant(newest)}`
  const intervals = selection.read.map(formatInterval).join(' ')
  return intervals === '' ? `nothing new to load; ${found}` : `0 rows in ${intervals}; ${found}`
}

/** A run whose `now` was set ahead took for loaded what is yet to come. */
function aheadNotes(state: ViewState, end: Instant): readonly string[] {
  const watermark = watermarkOf(state)
  if (watermark === undefined || watermark <= end) return []
  return [
    `rows up to ${formatInstant(watermark)} count as loaded since a run with a later \`--now\`; \`fs materialize START END\` loads those that have come since`,
  ]
}

function formatInterval({start, end}: Interval): string {
  return `(${start === null ? 'the beginning' : formatInstant(start)}, ${formatInstant(end)}]`
}
