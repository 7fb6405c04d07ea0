/**
 * Makes the online rows of a view what its source says as a whole: what is new or changed is written, what is gone is
 * deleted, all else is left alone. What it compares with is what the last sync left, and moves on only when this one was
 * looked at: so a sync that was killed, or whose store lost writes, is done again from the same state.
 */
import {mkdir, readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {FeatureRows} from '../compile/query.js'
import {formatInstant} from '../definitions/instant.js'
import type {LatestBatch, OfflineStore} from '../offline/offline-store.js'
import type {EntityKey, OnlineStore, OnlineTable, RemovedRows} from '../online/online-store.js'
import type {ViewState} from '../registry/registry.js'
import {keyAt} from './key-at.js'
import {loadView, rejectIncomplete, type ViewLoad} from './load-view.js'
import type {MaterializationContext} from './materialization-options.js'
import {watermarkOf, type LoadRequest} from './plan-load.js'
import type {ViewTally} from './view-tally.js'
import {WrittenSample} from './written-sample.js'

export interface SnapshotSync {
  readonly rows: FeatureRows
  readonly table: OnlineTable
  readonly state: ViewState
  readonly offline: OfflineStore
  readonly online: OnlineStore
  readonly request: LoadRequest
  readonly context: MaterializationContext
  readonly tally: ViewTally
}

/** Returns what is then to be registered of the view. Throws FS_LOAD_NOT_VERIFIED. */
export async function syncSnapshot(sync: SnapshotSync): Promise<(now: ViewState) => ViewState> {
  const {rows, table, state, offline, online, request, context, tally} = sync
  const {signal, writer, onProgress, runId, snapshotsDirectory} = context
  const end = request.command === 'materialize' ? request.interval.end : request.end
  const watermark = watermarkOf(state)
  if (watermark !== undefined && end < watermark) {
    note(tally, `is what its source was at ${formatInstant(watermark)}, and does not go back`)
    return (now) => now
  }
  const intervals = [{start: null, end}]
  const summary = await offline.summarizeSource({kind: 'source_summary', rows, intervals})
  tally.read += summary.rows
  tally.triesRejectsAgain = true
  const query = {kind: 'latest_per_entity', rows, intervals, order: online.writeOrder} as const
  if (summary.incompleteRows > 0) await rejectIncomplete({query, offline, tally, signal})

  const previous = await previousState(sync)
  const options = signal === undefined ? {} : {signal}
  await using changes = await offline.compareSnapshot(query, {...options, previous})
  const {changed, gone, all} = changes.counts
  const sample = new WrittenSample()
  const notWritten: EntityKey[] = []
  tally.addUnchanged(all - changed)
  const onRows = (): void =>
    onProgress?.({view: rows.view, phase: 'writing', rows: tally.settled, approximateTotal: all})
  // A store keeps the newer of two rows: one that went back takes its place after that was removed. What is gone goes
  // last, so that a reader misses no row that is in the source.
  async function* withRoomMade(): AsyncGenerator<LatestBatch> {
    for await (const {now, before} of changes.wentBack(options)) {
      await writer.remove(online, table, before as RemovedRows)
      yield now
    }
  }
  const load: Omit<ViewLoad, 'batches'> = {
    isInKeyOrder: false,
    table,
    online,
    writer,
    // What is still true never expires; it is deleted when it is gone.
    life: undefined,
    tally,
    signal,
    onRows,
    onWritten: (written, {rejected}) => {
      sample.add(written, rejected)
      notWritten.push(...rejected.map(({row}) => keyAt(written, row)))
    },
  }
  await loadView({...load, batches: changes.changed(options)})
  await loadView({...load, batches: withRoomMade()})
  for await (const batch of changes.gone(options)) await writer.remove(online, table, batch as RemovedRows)
  tally.deleted += gone
  await sample.check(online, table)

  const file = `${table.name}-${runId}.parquet`
  await changes.save(join(snapshotsDirectory, file), notWritten)
  tally.intervals = intervals
  const {newestEventTimestamp} = tally
  return ({checkpoint: _begun, ...now}) => ({
    ...now,
    covered: intervals,
    snapshot: {file, rows: all},
    ...(newestEventTimestamp === undefined ? {} : {newestEventTimestamp}),
  })
}

/** The file to compare with. Those of syncs that did not end, or were replaced, go. */
async function previousState({table, state, context, tally}: SnapshotSync): Promise<string | undefined> {
  const {snapshotsDirectory} = context
  await mkdir(snapshotsDirectory, {recursive: true})
  const known = state.snapshot?.file
  for (const name of await readdir(snapshotsDirectory)) {
    const isOurs = name.startsWith(`${table.name}-`) && name.endsWith('.parquet')
    if (isOurs && name !== known) await rm(join(snapshotsDirectory, name), {force: true})
  }
  if (known === undefined) {
    if (state.covered.length > 0)
      note(tally, 'was not synced as a whole before: rows that are gone from the source since stay online')
    return undefined
  }
  const path = join(snapshotsDirectory, known)
  if ((await stat(path).catch(() => undefined)) !== undefined) return path
  note(
    tally,
    `${known} is not in ${snapshotsDirectory}: all rows are written again, and those that are gone from the source since the last sync stay online`,
  )
  return undefined
}

function note(tally: ViewTally, text: string): void {
  tally.notes = [...tally.notes, text]
}
