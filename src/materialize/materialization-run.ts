import {rm} from 'node:fs/promises'
import {join, relative} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {FeatureView} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'
import type {
  Checkpoint,
  RegistryDocument,
  RegistrySnapshot,
  Replacement,
  RunRecord,
  ViewRun,
  ViewState,
} from '../registry/registry.js'
import type {OnlineStore} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import {storeIdentity} from '../online/store-identity.js'
import {tablesOf, withViewState} from '../registry/replacement.js'
import {freeTable, takenNames} from '../registry/table-names.js'
import {withoutCoverage} from '../registry/view-coverage.js'
import {recordRun, updateRegistry} from '../registry/update-registry.js'
import {closeDeadRuns} from './close-run.js'
import {lossOf, type TableLoss} from './lost-table.js'
import type {MaterializationContext} from './materialization-options.js'
import {materializeView, registered, viewChanged, type CoverageCommit} from './materialize-view.js'
import type {LoadRequest} from './plan-load.js'
import {RejectsFile} from './rejects-file.js'
import {snapshotFolder} from './sync-snapshot.js'
import {
  holderOf,
  leaseLost,
  releaseLeases,
  renewLeases,
  takeLeases,
  viewBusy,
  withoutLease,
} from './view-lease.js'
import {ViewTally} from './view-tally.js'

const pollMillis = 250
const checkpointMillis = 2000

const lossNotes = {
  emptied: 'the online store had lost its rows',
  another_store: 'the online store is another one than that of the last load, or older',
  went_back: 'the online store holds less than the last load left (an older backup, or a crash)',
  unsynced: 'it was not synced as a whole before',
} as const satisfies Record<TableLoss | 'unsynced', string>

/**
 * One run and its record: takes leases, loads views and commits each when its last row is durable. Commits are few: at
 * the start, one for each view and one at the end, besides a sign of life now and then.
 */
export class MaterializationRun {
  readonly #context: MaterializationContext
  readonly #request: LoadRequest
  readonly #notes: readonly string[]
  readonly #tallies = new Map<string, ViewTally>()
  /** By view whose load has not ended. */
  readonly #checkpoints = new Map<string, {readonly checkpoint: Checkpoint; readonly registeredAt: number}>()
  #record: RunRecord
  #lastUpdate: Promise<unknown> = Promise.resolve()

  constructor(
    names: readonly string[],
    {
      options,
      request,
      notes,
    }: {
      readonly options: Omit<MaterializationContext, 'saveCheckpoint' | 'beginSync'>
      readonly request: LoadRequest
      /** What is true of every view of the run. */
      readonly notes: readonly string[]
    },
  ) {
    const context = {
      ...options,
      saveCheckpoint: this.#saveCheckpoint.bind(this),
      beginSync: this.#beginSync.bind(this),
    }
    this.#context = context
    this.#request = request
    this.#notes = notes
    for (const name of names) this.#tallies.set(name, this.#newTally(name))
    this.#record = {
      id: context.runId,
      command: context.command,
      status: 'running',
      holder: context.process,
      startedAt: context.clock(),
      views: names.map((name) => this.#viewRun(name, 'running')),
    }
  }

  /**
   * Records the run and takes the leases of all its views that are free. Returns the names of its views, those that
   * have to be waited for last.
   */
  async start(): Promise<readonly string[]> {
    const {clock, isAlive, runId} = this.#context
    const names = [...this.#tallies.keys()]
    const {document} = await this.#update((current) => {
      const alive = {...current, runs: closeDeadRuns(current.runs, isAlive, clock())}
      return recordRun(takeLeases(alive, names, this.#context), this.#record)
    })
    const isHeld = (name: string): boolean => document.views[name]?.lease?.runId === runId
    return [...names.filter(isHeld), ...names.filter((name) => !isHeld(name))]
  }

  /** Puts the leases off. Missing one is no harm; a lease that was lost shows at the commit. */
  async heartbeat(): Promise<void> {
    await this.#update((document) => renewLeases(document, this.#context)).catch(() => undefined)
  }

  /** Loads one view. Whatever goes wrong ends in the record; this fails only where `onProgress` does. */
  async load(name: string): Promise<void> {
    const {signal, maxRejects, onProgress} = this.#context
    const tally = this.#tallyOf(name)
    let run: ViewRun
    let tables: readonly string[] = []
    try {
      signal?.throwIfAborted()
      const held = await this.#hold(name)
      const document = await this.#forgetLost(name, held, tally)
      tables = tablesOf(registered(name, document).state)
      const commit = await this.#loadHeld(name, document, tally)
      const count = tally.rejected
      run =
        count > maxRejects
          ? this.#viewRun(name, 'failed', tooManyRejects(name, tally, maxRejects))
          : this.#viewRun(name, 'ok')
      await this.#settle(run, commit)
    } catch (error) {
      tally.intervals = []
      // Views of an interrupted run are closed together when it ends.
      run = this.#viewRun(name, 'failed', signal?.aborted === true ? interrupted() : errorOf(error))
      if (signal?.aborted === true) this.#note(run)
      else await this.#fail(run, tables)
    }
    onProgress?.({view: name, phase: run.status === 'ok' ? 'done' : 'failed', rows: tally.settled})
  }

  /** Closes the record, when every view was loaded or failed, and gives back the leases that are left. */
  async finish(): Promise<RunRecord> {
    const {signal, clock, runId, writer} = this.#context
    const writing = writer.metrics()
    const failed = this.#record.views.some((view) => view.status !== 'ok')
    this.#record = {
      ...this.#record,
      status: !failed ? 'ok' : signal?.aborted === true ? 'interrupted' : 'failed',
      finishedAt: clock(),
      ...(writing === undefined ? {} : {writing}),
    }
    await this.#update((document) => {
      const lastRun = this.#lastRun('failed')
      return recordRun(
        releaseLeases(this.#withCheckpoints(document), runId, (state) => ({...state, lastRun})),
        this.#record,
      )
    })
    return this.#record
  }

  /** Loads the view, after the rest of a load that another run began. Returns what is then to be registered. */
  async #loadHeld(name: string, held: RegistryDocument, tally: ViewTally): Promise<CoverageCommit> {
    try {
      let document = held
      for (;;) {
        const {commit, hasMore} = await materializeView(name, document, this.#request, this.#context, tally)
        if (!hasMore) return commit
        this.#checkpoints.delete(name)
        document = (await this.#update((current) => withViewState(current, name, commit(current)))).document
      }
    } finally {
      await tally.rejects[Symbol.asyncDispose]()
    }
  }

  /**
   * What the online store lost of the view is covered no more. That is registered before anything is written: a load
   * that is killed then would else count for all that was there before. Returns the document as it then is.
   */
  async #forgetLost(name: string, held: RegistryDocument, tally: ViewTally): Promise<RegistryDocument> {
    const {runId, openOnlineStore} = this.#context
    const {view, state} = registered(name, held)
    const online = await openOnlineStore()
    const lost = await lossOf(online, onlineTableOf(view, held.definitions, state.table), state)
    const loss = lost ?? (isUnsynced(view, state) ? 'unsynced' : undefined)
    if (loss !== undefined)
      tally.notes = [...tally.notes, `${lossNotes[loss]}, so all its rows are due again`]
    // With what an older load left nothing can be compared: nobody knows which of its rows are gone from the source.
    const isUnknown = loss !== undefined && loss !== 'emptied' && view.sync === 'snapshot'
    const replacementIn = isUnknown ? await this.#replacing(online, name, state) : undefined
    if (loss === undefined && state.replacement === undefined) return held
    const {document} = await this.#update((current) => {
      const now = current.views[name]
      if (now?.lease?.runId !== runId) throw leaseLost()
      const {replacement: _before, ...rest} = now
      // What is there is served until the other table is whole.
      if (replacementIn !== undefined)
        return withViewState(current, name, {...rest, replacement: replacementIn(current)})
      return withViewState(current, name, loss === undefined ? rest : withoutCoverage(rest))
    })
    return document
  }

  /** Finds what takes the place of a view's table: one that an earlier run began to fill in this store, or a new one. */
  async #replacing(
    online: OnlineStore,
    name: string,
    {replacement}: ViewState,
  ): Promise<(current: RegistryDocument) => Replacement> {
    const there = await online.listTables()
    const storeId = await storeIdentity(online)
    const mayGoOn =
      replacement !== undefined && replacement.storeId === storeId && there.includes(replacement.table)
    if (mayGoOn) return () => replacement
    return (current) => ({
      table: freeTable(name, takenNames(current, there)),
      ...(storeId === undefined ? {} : {storeId}),
    })
  }

  async #beginSync(name: string, table: string, file: string): Promise<void> {
    const {runId, process: holder, clock} = this.#context
    const begun = {runId, holder, begunAt: clock(), file}
    await this.#update((current) => {
      const now = current.views[name]
      if (now?.lease?.runId !== runId) throw leaseLost()
      const {replacement} = now
      return withViewState(
        current,
        name,
        replacement?.table === table
          ? {...now, replacement: {...replacement, begunSyncs: [...(replacement.begunSyncs ?? []), begun]}}
          : {...now, begunSyncs: [...(now.begunSyncs ?? []), begun]},
      )
    })
  }

  /** Keeps how far a load has come, and registers it when a while has passed. Missing one is no harm. */
  #saveCheckpoint(name: string, checkpoint: Checkpoint): void {
    const now = performance.now()
    const registeredAt = this.#checkpoints.get(name)?.registeredAt ?? now
    const isDue = now - registeredAt >= checkpointMillis
    this.#checkpoints.set(name, {checkpoint, registeredAt: isDue ? now : registeredAt})
    if (isDue) this.#update((document) => this.#withCheckpoints(document)).catch(() => undefined)
  }

  /** The document with the checkpoints of the views that this run holds and has not loaded. */
  #withCheckpoints(document: RegistryDocument): RegistryDocument {
    return [...this.#checkpoints].reduce((current, [name, {checkpoint}]) => {
      const state = current.views[name]
      return state?.lease?.runId === this.#context.runId
        ? withViewState(current, name, {...state, checkpoint})
        : current
    }, document)
  }

  /** Waits for the view as long as was asked for. Returns a document in which this run holds it. */
  async #hold(name: string): Promise<RegistryDocument> {
    const {runId, signal, clock, wait = 0n, onProgress} = this.#context
    const deadline = clock() + wait
    for (let waited = false; ; waited = true) {
      const {document} = await this.#update((current) => takeLeases(current, [name], this.#context))
      const state = document.views[name]
      if (state === undefined) throw viewChanged()
      if (state.lease?.runId === runId) return document
      const holder = holderOf(state, this.#context)
      if (holder !== undefined && clock() >= deadline) throw viewBusy(holder)
      if (!waited) onProgress?.({view: name, phase: 'waiting', rows: 0})
      await sleep(pollMillis, undefined, signal === undefined ? {} : {signal})
    }
  }

  /** Commits a view's part of the record together with its new state. */
  async #settle(run: ViewRun, commit: CoverageCommit): Promise<void> {
    const lastRun = this.#lastRun(run.status === 'ok' ? 'ok' : 'failed')
    const {runId, snapshotsDirectory} = this.#context
    this.#checkpoints.delete(run.name)
    let before: ViewState | undefined
    await this.#update((document) => {
      const state = {...withoutLease(commit(document), runId), lastRun}
      before = document.views[run.name]
      return recordRun(withViewState(document, run.name, state), withView(this.#record, run))
    })
    this.#note(run)
    if (before?.replacement === undefined || before.storeId === undefined) return
    // What the table held that was replaced is compared with no more.
    const folder = join(snapshotsDirectory, snapshotFolder(before.storeId, before.table))
    await rm(folder, {recursive: true, force: true}).catch(() => undefined)
  }

  /**
   * Records a failure and gives the view back. What can't be recorded now is recorded at the end. `tables`: where it wrote to;
   * if an apply dropped one meanwhile, some rows came after the drop, and it is to be dropped again.
   */
  async #fail(run: ViewRun, tables: readonly string[]): Promise<void> {
    this.#note(run)
    const {runId} = this.#context
    const lastRun = this.#lastRun('failed')
    await this.#update((current) => {
      const document = this.#withCheckpoints(current)
      const state = document.views[run.name]
      const holdsIt = state?.lease?.runId === runId
      const views = holdsIt
        ? {...document.views, [run.name]: {...withoutLease(state, runId), lastRun}}
        : document.views
      const abandoned = tables.filter((table) => document.formerTables?.includes(table) === true)
      const pendingDrops = [...new Set([...document.pendingDrops, ...abandoned])]
      return recordRun({...document, views, pendingDrops}, this.#record)
    }).catch(() => undefined)
  }

  /** One at a time, so that the views of one run do not contend with each other. */
  #update(change: (document: RegistryDocument) => RegistryDocument): Promise<RegistrySnapshot> {
    const update = this.#lastUpdate.then(() => updateRegistry(this.#context.registry, change))
    this.#lastUpdate = update.catch(() => undefined)
    return update
  }

  #note(run: ViewRun): void {
    this.#record = withView(this.#record, run)
  }

  #viewRun(name: string, status: ViewRun['status'], error?: ViewRun['error']): ViewRun {
    const tally = this.#tallyOf(name)
    const {repoDirectory} = this.#context
    const {path} = tally.rejects
    const rejectsFile = repoDirectory === undefined ? path : relative(repoDirectory, path)
    return tally.toViewRun(name, {status, error, rejectsFile})
  }

  #newTally(name: string): ViewTally {
    const {rejectsDirectory, runId} = this.#context
    const tally = new ViewTally(new RejectsFile(join(rejectsDirectory, runId, `${name}.jsonl`)))
    tally.notes = this.#notes
    return tally
  }

  #tallyOf(name: string): ViewTally {
    const tally = this.#tallies.get(name)
    if (tally === undefined) throw new Error(`view ${name} is not in this run`)
    return tally
  }

  #lastRun(status: 'ok' | 'failed'): NonNullable<ViewState['lastRun']> {
    return {runId: this.#context.runId, status, finishedAt: this.#context.clock()}
  }
}

/** Its table was filled by loads that keep no state to compare with. */
function isUnsynced({sync}: FeatureView, state: ViewState): boolean {
  if (sync !== 'snapshot' || state.snapshot !== undefined || state.begunSyncs !== undefined) return false
  return state.covered.length > 0 || state.newestEventTimestamp !== undefined
}

function withView(record: RunRecord, run: ViewRun): RunRecord {
  return {...record, views: record.views.map((view) => (view.name === run.name ? run : view))}
}

function errorOf(error: unknown): NonNullable<ViewRun['error']> {
  if (!(error instanceof FeatureStoreError)) {
    return {code: 'FS_MATERIALIZE_FAILED', message: error instanceof Error ? error.message : String(error)}
  }
  const {code, message, hint} = error
  return {code, message, ...(hint === undefined ? {} : {hint})}
}

function interrupted(): NonNullable<ViewRun['error']> {
  return {
    code: 'FS_INTERRUPTED',
    message:
      'The run was stopped before this view was loaded. What it wrote stays, and the next run makes up for the rest.',
    hint: 'Run it again: it loads what is missing.',
  }
}

function tooManyRejects(
  view: string,
  {rejected: count, triesRejectsAgain}: ViewTally,
  allowed: number,
): NonNullable<ViewRun['error']> {
  const remedy = triesRejectsAgain
    ? 'the next run loads them'
    : `load them with \`fs materialize START END --view ${view}\``
  return {
    code: 'FS_REJECTS_EXCEEDED',
    message: `${count} ${count === 1 ? 'row' : 'rows'} could not be written, and ${allowed} may be. All others were, and count as loaded.`,
    hint: `Look at the rejected rows. When the source is mended, ${remedy}; or allow them with \`--max-rejects\`.`,
  }
}
