/** What is put online by hand, and what a verification says of it. */
import type {Instant} from '../../src/definitions/instant.js'
import type {OnlineTable} from '../../src/online/online-store.js'
import type {LatestBatch, OfflineStore} from '../../src/offline/offline-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import {verifyViews, type VerificationOptions} from '../../src/verify/verify-views.js'
import type {Verification, ViewVerification} from '../../src/verify/verification.js'
import {onlineRows, type TestRow} from '../conformance/online-store.js'
import type {Project} from '../materialize/project.js'

/** Checks every key, as fast as it can. */
export function verify(
  project: Project,
  now: Instant,
  options: Partial<VerificationOptions> = {},
): Promise<Verification> {
  return verifyViews({
    maxReadsPerSecond: 10_000_000,
    examplesOfKind: 5,
    registry: project.registry,
    openOfflineStore: () => Promise.resolve(project.offline),
    openOnlineStore: () => Promise.resolve(project.online),
    isHeld: () => true,
    now: () => now,
    clock: () => BigInt(Date.now()) * 1000n,
    ...options,
  })
}

/** What is found of the one view of a project. */
export async function verifyOne(...args: Parameters<typeof verify>): Promise<ViewVerification> {
  const {views} = await verify(...args)
  const [view] = views
  if (view === undefined || views.length > 1) throw new Error(`there are ${views.length} views`)
  return view
}

/** A row of a driver; its values are trips and a note. */
export function row(
  driver: bigint,
  event: Instant,
  values: TestRow['values'],
  created: Instant | null = null,
): TestRow {
  return {key: [driver], event, created, values}
}

/** The project's offline store; `happen` comes between its answer and what is done with it. */
export function meanwhile(project: Project, happen: () => Promise<unknown>): Partial<VerificationOptions> {
  const {offline} = project
  const store: Omit<OfflineStore, typeof Symbol.asyncDispose> = {
    describeSource: (source) => offline.describeSource(source),
    summarizeSource: (query, options) => offline.summarizeSource(query, options),
    sourceVersion: (source, modifiedBy) => offline.sourceVersion(source, modifiedBy),
    readIncompleteRows: (query, options) => offline.readIncompleteRows(query, options),
    compareSnapshot: (query, options) => offline.compareSnapshot(query, options),
    retrieve: (query) => offline.retrieve(query),
    examine: (clock, sources) => offline.examine(clock, sources),
    async *readLatest(query, options) {
      const batches: LatestBatch[] = []
      for await (const batch of offline.readLatest(query, options)) batches.push(batch)
      await happen()
      yield* batches
    },
  }
  return {openOfflineStore: () => Promise.resolve({...store, [Symbol.asyncDispose]: () => Promise.resolve()})}
}

export async function tableOf(project: Project, view = 'stats'): Promise<OnlineTable> {
  const {definitions, views} = await project.document()
  const registered = definitions.featureViews.find(({name}) => name === view)!
  return onlineTableOf(registered, definitions, views[view]!.table)
}

/** Guarded, as every write. */
export async function writeOnline(project: Project, rows: readonly TestRow[], view = 'stats'): Promise<void> {
  const table = await tableOf(project, view)
  const result = await project.online.write(table, onlineRows(table, rows))
  if (result.unchanged > 0) throw new Error('a row was not written, since a newer one is online')
}

/** Whatever the table held before is gone. */
export async function replaceOnline(
  project: Project,
  rows: readonly TestRow[],
  view = 'stats',
): Promise<void> {
  const table = await tableOf(project, view)
  await project.online.drop([table.name])
  await project.online.prepare([table])
  await project.online.write(table, onlineRows(table, rows))
}
