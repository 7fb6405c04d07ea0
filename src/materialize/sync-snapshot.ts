/**
 * Makes the online rows of a view what its source says as a whole: what is new or changed is written, what is gone is
 * deleted, all else is left alone. It compares with what the last sync left, and with all that syncs which did not end may
 * have written since: each registers what it is about to make before it writes. So the next one knows all that may be
 * online, whatever came between.
 */
import {mkdir, readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {FeatureRows} from '../compile/query.js'
import type {SnapshotFiles} from '../compile/snapshot-changes.js'
import {formatInstant, type Instant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import type {LatestBatch, OfflineStore, RemovedBatch} from '../offline/offline-store.js'
import type {EntityKey, OnlineStore, OnlineTable, RemovedRows} from '../online/online-store.js'
import type {ViewState} from '../registry/registry.js'
import {keyAt} from './key-at.js'
import {noteDurably, serverEnded} from './load-durably.js'
import {loadView, rejectIncomplete, type ViewLoad} from './load-view.js'
import type {MaterializationContext} from './materialization-options.js'
import {watermarkOf, type LoadRequest} from './plan-load.js'
import type {ViewTally} from './view-tally.js'
import {WrittenSample} from './written-sample.js'

/** A run that lost its view notices within less. */
const longestDelay = 3_600_000_000n

export interface SnapshotSync {
  readonly rows: FeatureRows
  readonly table: OnlineTable
  readonly state: ViewState
  readonly offline: OfflineStore
  readonly online: OnlineStore
  readonly storeId: string
  readonly request: LoadRequest
  readonly context: MaterializationContext
  readonly tally: ViewTally
}

/** What is then to be registered of the view. */
export interface SyncedSnapshot {
  /** Undefined where none ever wrote. */
  readonly loadNumber: number | undefined
  readonly stateAfter: (now: ViewState) => ViewState
}

/**
 * Throws FS_LOAD_NOT_VERIFIED, FS_SNAPSHOT_MISSING, FS_LEASE_LOST, FS_VIEW_CHANGED where the store lost what was online, and
 * FS_STORE_UNAVAILABLE where it may have.
 */
export async function syncSnapshot(sync: SnapshotSync): Promise<SyncedSnapshot> {
  const {rows, table, state, offline, online, request, context, tally} = sync
  const {signal, writer, onProgress, runId, snapshotsDirectory} = context
  const end = request.command === 'materialize' ? request.interval.end : request.end
  const watermark = watermarkOf(state)
  if (watermark !== undefined && end < watermark) {
    note(tally, `is what its source was at ${formatInstant(watermark)}, and does not go back`)
    return {loadNumber: state.loadNumber, stateAfter: (now) => now}
  }
  const intervals = [{start: null, end}]
  const options = signal === undefined ? {} : {signal}
  const summary = await offline.summarizeSource({kind: 'source_summary', rows, intervals}, options)
  tally.read += summary.rows
  tally.triesRejectsAgain = true
  const query = {kind: 'latest_per_entity', rows, intervals, order: online.writeOrder} as const
  if (summary.incompleteRows > 0) await rejectIncomplete({query, offline, tally, signal})

  const previous = await previousState(sync)
  await using changes = await offline.compareSnapshot(query, {...options, previous})
  const {changed, gone, all} = changes.counts
  const file = `${folderOf(sync)}/${runId}.parquet`
  if (changed + gone > 0) {
    await changes.save(join(snapshotsDirectory, file), [])
    await context.beginSync(rows.view, table.name, file)
  }
  const sample = new WrittenSample()
  const notWritten: EntityKey[] = []
  tally.addUnchanged(all - changed)
  if (all === 0 && gone > 0) note(tally, `its source is empty: all ${gone} rows go`)
  const onRows = (): void =>
    onProgress?.({view: rows.view, phase: 'writing', rows: tally.settled, approximateTotal: all})
  // A store keeps the newer of two rows: one that went back takes its place after that was removed. What is gone goes
  // last, so that a reader misses no row that is in the source.
  async function* withRoomMade(): AsyncGenerator<LatestBatch> {
    for await (const {now, before} of changes.wentBack(options)) {
      await removeAll(before)
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
  const servers = await online.volatileServers(signal)
  await loadView({...load, batches: changes.changed(options)})
  await loadView({...load, batches: withRoomMade()})
  for await (const batch of changes.gone(options)) await removeAll(batch)
  tally.deleted += gone
  await sample.check(online, table)
  const loadNumber =
    changed + gone > 0
      ? await noteDurably({online, table, loadNumber: state.loadNumber ?? 0, signal})
      : state.loadNumber
  const left = await online.volatileServers(signal)
  // The next sync takes what this one has begun to write for neither there nor gone.
  if (!servers.every((server) => left.includes(server))) throw serverEnded(1)

  const verified = notWritten.length === 0 ? file : `${table.name}-${runId}-verified.parquet`
  if (changed + gone === 0 || notWritten.length > 0)
    await changes.save(join(snapshotsDirectory, verified), notWritten)
  tally.intervals = intervals
  const {newestEventTimestamp} = tally
  const stateAfter = ({checkpoint: _begun, begunSyncs = [], ...now}: ViewState): ViewState => {
    // A run that lost the view to this one and goes on may still write.
    const others = begunSyncs.filter(
      (one) =>
        one.holder !== undefined &&
        one.runId !== runId &&
        context.isAlive(one.holder) !== false &&
        one.begunAt + longestDelay > context.clock(),
    )
    return {
      ...now,
      covered: intervals,
      snapshot: {file: verified, rows: all},
      ...(others.length === 0 ? {} : {begunSyncs: others}),
      ...(newestEventTimestamp === undefined ? {} : {newestEventTimestamp}),
    }
  }
  return {loadNumber, stateAfter}

  /** Throws FS_LOAD_NOT_VERIFIED where newer rows are there, which no sync of ours has written. */
  async function removeAll(batch: RemovedBatch): Promise<void> {
    const stayed = batch.rowCount - (await writer.remove(online, table, batch as RemovedRows))
    if (stayed === 0) return
    throw new FeatureStoreError(
      'FS_LOAD_NOT_VERIFIED',
      `${stayed} rows that are to go are online with newer times than any sync wrote.`,
      {
        hint: 'See who else writes to the online store: nothing but `fs` may write to a view that is synced as a whole.',
      },
    )
  }
}

/** The files to compare with; others of the table go. Throws FS_SNAPSHOT_MISSING. */
async function previousState(sync: SnapshotSync): Promise<SnapshotFiles> {
  const {state, request, context} = sync
  const {snapshotsDirectory} = context
  const folder = folderOf(sync)
  await mkdir(join(snapshotsDirectory, folder), {recursive: true})
  const verified = state.snapshot?.file
  const begun = (state.begunSyncs ?? []).map(({file}) => file)
  const known = new Set([...begun, ...(verified === undefined ? [] : [verified])])
  for (const name of await readdir(join(snapshotsDirectory, folder))) {
    const path = join(snapshotsDirectory, folder, name)
    const isOver = name.endsWith('.parquet')
      ? !known.has(`${folder}/${name}`)
      : await isLeftUnfinished(path, context.clock())
    if (isOver) await rm(path, {force: true})
  }
  for (const name of known) {
    if ((await stat(join(snapshotsDirectory, name)).catch(() => undefined)) === undefined)
      throw missing(name, snapshotsDirectory)
  }
  const pathOf = (name: string): string => join(snapshotsDirectory, name)
  // Who asks for an interval heals: nothing that should be online counts as being there.
  if (request.command === 'materialize') return {begun: [...known].map(pathOf)}
  return {verified: verified === undefined ? undefined : pathOf(verified), begun: begun.map(pathOf)}
}

/** Whether a process that is long gone began to write it. */
async function isLeftUnfinished(path: string, now: Instant): Promise<boolean> {
  if (!path.endsWith('.part')) return false
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && BigInt(Math.ceil(found.mtimeMs)) * 1000n + longestDelay < now
}

function folderOf({storeId, table}: SnapshotSync): string {
  return snapshotFolder(storeId, table.name)
}

/** Of the table's files: no other project's, and no other store's, where they share a folder of snapshots. */
export function snapshotFolder(storeId: string, table: string): string {
  return `${storeId}/${table}`
}

function missing(file: string, folder: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_SNAPSHOT_MISSING',
    `${file}, what an earlier sync left to compare with, is not in ${folder}. Without it nobody can tell which rows are gone from the source; nothing was written.`,
    {
      hint: 'Sync on the machine that did so before, or let `materialization.snapshots_path` be a folder that all of them share. If the file is lost, take the view out of the repo, `fs apply`, put it back, `fs apply`, and load it anew.',
    },
  )
}

function note(tally: ViewTally, text: string): void {
  tally.notes = [...tally.notes, text]
}
