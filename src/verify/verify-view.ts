/** One view's part of a verification: every key goes once through the source and once through the store. */
import {isDeepStrictEqual} from 'node:util'
import {featureRowsOf} from '../compile/feature-rows.js'
import type {FeatureView} from '../definitions/definition.js'
import {formatDuration} from '../definitions/duration.js'
import type {Instant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import {lossOf, type TableLoss} from '../materialize/lost-table.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {OnlineStore} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import type {Registry, RegistryDocument, ViewState} from '../registry/registry.js'
import {Arrivals} from './arrivals.js'
import {expectedRows, isExpected, oldestServed} from './expected-rows.js'
import type {JudgeContext} from './judge-suspects.js'
import {KeyCheck} from './key-check.js'
import type {PacedReader} from './paced-reader.js'
import {readBatch} from './read-batch.js'
import type {VerifyProgress} from './verification.js'
import type {VerificationTally} from './verification-tally.js'

export interface VerifyContext {
  readonly registry: Pick<Registry, 'read'>
  readonly offline: OfflineStore
  readonly online: OnlineStore
  readonly reader: PacedReader
  /** Absent: every key is checked. */
  readonly sample?: {readonly size: number; readonly seed: bigint} | undefined
  readonly now: () => Instant
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: VerifyProgress) => void) | undefined
}

/** A registered view that was loaded up to its watermark. */
export interface LoadedView {
  readonly view: FeatureView
  readonly state: ViewState
  readonly watermark: Instant
  /** That it was registered in. */
  readonly document: RegistryDocument
}

const lossNotes = {
  emptied: 'the online store no longer holds what was loaded',
  another_store: 'the online store is another one than that which was loaded',
  went_back: 'the online store holds an older state than that which was loaded',
} as const satisfies Record<TableLoss, string>

/** Counts what the view's keys are. Nothing is written. Throws FS_VIEW_CHANGED when an apply changed the view meanwhile. */
export async function verifyView(
  loaded: LoadedView,
  context: VerifyContext,
  tally: VerificationTally,
): Promise<void> {
  const {view, state, watermark, document} = loaded
  const {offline, online, sample, now, signal} = context
  const rows = featureRowsOf(view, document.definitions)
  const table = onlineTableOf(view, document.definitions, state.table)
  const loss = await lossOf(online, table, state)
  if (loss !== undefined)
    tally.notes.push(`${lossNotes[loss]}; \`fs materialize-incremental\` loads all of it again`)
  const rowsBefore = sample === undefined ? await online.countRows(table) : undefined
  const selection = expectedRows(view, state, watermark, now())
  if (view.ttl !== undefined && selection.intervals.length === 0) {
    tally.notes.push(
      `all that was loaded is older than the ttl (${formatDuration(view.ttl)}), so nothing is served`,
    )
  }

  const options = signal === undefined ? {} : {signal}
  const judging: JudgeContext = {
    table,
    rows,
    offline,
    reader: context.reader,
    arrivals: new Arrivals(state.arrival, rows, offline),
    oldestServed: () => oldestServed(view, now()),
    options,
  }
  const check = new KeyCheck(tally, judging)
  const progress = reporter(view.name, sample === undefined ? rowsBefore : sample.size, tally, context)
  progress('reading')
  const query = {
    kind: 'latest_per_entity',
    rows,
    ...selection,
    everyKey: sample === undefined,
    sample,
    // Few are sorted at once, so that examples come in the same order each time.
    order: sample === undefined ? online.writeOrder : 'key',
  } as const
  for await (const batch of offline.readLatest(query, options)) {
    signal?.throwIfAborted()
    await check.add(readBatch(batch, (row) => isExpected(row, selection)))
    progress('checking')
  }
  await check.finish()

  if (!isSameView(loaded, (await context.registry.read()).document)) throw viewChanged()
  // Rows that were online before the source was read have their keys in it, unless it lost them.
  const unknown = (rowsBefore ?? 0) - check.rowsFound
  if (unknown > 0) tellUnknown(unknown, view, tally)
}

/** Rows of keys that the source does not have. Expired ones may lie about for a while, so with a ttl they may be any. */
function tellUnknown(rows: number, {ttl}: FeatureView, tally: VerificationTally): void {
  const counted = `rows online whose keys the source does not have: ${rows}`
  if (ttl !== undefined) {
    tally.notes.push(`${counted}; they may be expired`)
    return
  }
  tally.addUnknown(rows)
  tally.notes.push(`${counted}; the store can't list keys, so none of them is shown`)
}

function reporter(
  view: string,
  approximateTotal: number | undefined,
  tally: VerificationTally,
  {onProgress}: VerifyContext,
): (phase: VerifyProgress['phase']) => void {
  return (phase) =>
    onProgress?.({
      view,
      phase,
      rows: tally.checked + tally.rejected,
      ...(approximateTotal === undefined ? {} : {approximateTotal}),
    })
}

/** Whether rows of the view still mean the same, in the same table. */
function isSameView({view, state, document}: LoadedView, after: RegistryDocument): boolean {
  const now = after.definitions.featureViews.find((one) => one.name === view.name)
  return (
    now !== undefined &&
    after.views[view.name]?.table === state.table &&
    isDeepStrictEqual(featureRowsOf(now, after.definitions), featureRowsOf(view, document.definitions))
  )
}

function viewChanged(): FeatureStoreError {
  return new FeatureStoreError('FS_VIEW_CHANGED', 'An apply changed the view while it was verified.', {
    hint: 'Run it again: it then compares what the changed view holds.',
  })
}
