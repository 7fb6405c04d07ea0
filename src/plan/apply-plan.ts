import type {Definitions} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'
import type {OnlineStore, OnlineTable} from '../online/online-store.js'
import {onlineTableOf} from '../online/online-table.js'
import {giveStoreIdentity} from '../online/store-identity.js'
import type {Registry, RegistryDocument, ViewState} from '../registry/registry.js'
import {withoutDrops} from '../registry/table-names.js'
import {withoutCoverage} from '../registry/view-coverage.js'
import {updateRegistry} from '../registry/update-registry.js'
import {baseRevisionOf} from './base-revision.js'
import {createPlan} from './create-plan.js'
import {newTablesOf, nextDocument, viewSteps, withoutReservations, type ViewStep} from './next-views.js'
import type {ChangeImpact, Plan} from './plan.js'

/**
 * What was just done: the registry knows the names of new tables; the online store has what the plan needs; the new
 * definitions are registered; tables that nothing refers to are dropped; the registry has forgotten them.
 */
export type ApplyStep =
  'tables_reserved' | 'tables_prepared' | 'registered' | 'tables_dropped' | 'drops_forgotten'

export interface ApplyOptions {
  /** Made by `createPlan`, just now or when it was reviewed. */
  readonly plan: Plan
  readonly registry: Registry
  /** Called at most once, and not where only definitions change. The caller closes the store. */
  readonly openOnlineStore: () => Promise<OnlineStore>
  /** Awaited after each step that was done. */
  readonly onStep?: (step: ApplyStep) => void | Promise<void>
}

export interface ApplyResult {
  readonly plan: Plan
  /** Of the registry, after the last step. */
  readonly revision: string
}

/**
 * Carries out exactly what `plan` says, or throws FS_PLAN_STALE and registers nothing: when other definitions are
 * registered than the plan was made for, or when it would cost more data than it says. Readers go on with the old
 * tables until the new definitions are registered. Every step may run twice, so applying again cures a process that
 * was killed between any two of them.
 */
export async function applyPlan(options: ApplyOptions): Promise<ApplyResult> {
  const {plan, registry} = options
  const online = onceOpened(options.openOnlineStore)
  const done = async (step: ApplyStep): Promise<void> => options.onStep?.(step)

  const {document} = await registry.read()
  if (!isRegistered(plan, document)) {
    checkCurrent(plan, document)
    const steps = await prepareTables(plan, document, registry, online, done)
    await updateRegistry(registry, (current) => register(plan, current, steps))
    await done('registered')
  } else await mendTables(document, online)
  return {plan, revision: await finishDrops(registry, online, done)}
}

/**
 * Creates and alters online tables. Names of new ones are noted in the registry first, so that none is ever forgotten,
 * nor taken for garbage while it is being taken into use.
 */
async function prepareTables(
  plan: Plan,
  document: RegistryDocument,
  registry: Registry,
  online: () => Promise<OnlineStore>,
  done: (step: ApplyStep) => Promise<void>,
): Promise<readonly ViewStep[]> {
  let steps = viewSteps(document, plan.desired, [])
  if (tablesToPrepare(steps, plan.desired).length === 0) return steps
  const store = await online()
  // A table that the registry does not know may hold rows of a registry that was lost: its name is not free.
  const occupied = await store.listTables()
  await forgetLost(registry, occupied)
  if (newTablesOf(steps).length > 0) {
    await updateRegistry(registry, (current) => {
      checkCurrent(plan, current)
      steps = viewSteps(current, plan.desired, occupied)
      return {...withoutReservations(current), reservedTables: newTablesOf(steps)}
    })
    await done('tables_reserved')
  }
  await store.prepare(tablesToPrepare(steps, plan.desired))
  await giveStoreIdentity(store)
  await done('tables_prepared')
  return steps
}

/** What a table that is gone held is covered no more: it is about to be made anew, and would pass for loaded. */
async function forgetLost(registry: Registry, there: readonly string[]): Promise<void> {
  const isLost = ({table, covered, checkpoint, loadNumber = 0}: ViewState): boolean =>
    !there.includes(table) && (covered.length > 0 || checkpoint !== undefined || loadNumber > 0)
  await updateRegistry(registry, (current) => {
    const views = Object.entries(current.views)
    if (!views.some(([, state]) => isLost(state))) return current
    return {
      ...current,
      views: Object.fromEntries(
        views.map(([name, state]) => [name, isLost(state) ? withoutCoverage(state) : state]),
      ),
    }
  })
}

/**
 * Gives the tables that are there what they lost (a column that was dropped by hand, say). One that is gone is the next
 * load's to make.
 */
async function mendTables(
  {definitions, views}: RegistryDocument,
  online: () => Promise<OnlineStore>,
): Promise<void> {
  const served = definitions.featureViews.filter((view) => view.online && views[view.name] !== undefined)
  if (served.length === 0) return
  const store = await online()
  const there = new Set(await store.listTables())
  const tables = served
    .map((view) => onlineTableOf(view, definitions, views[view.name]?.table ?? ''))
    .filter(({name}) => there.has(name))
  if (tables.length > 0) await store.prepare(tables)
}

/** Drops what the registry says is to be dropped, then forgets it. Returns the newest revision. */
async function finishDrops(
  registry: Registry,
  online: () => Promise<OnlineStore>,
  done: (step: ApplyStep) => Promise<void>,
): Promise<string> {
  const {document, revision} = await updateRegistry(registry, withoutReservations)
  const dropped = document.pendingDrops
  if (dropped.length === 0) return revision
  await (await online()).drop(dropped)
  await done('tables_dropped')
  const forgotten = await updateRegistry(registry, (current) => withoutDrops(current, dropped))
  await done('drops_forgotten')
  return forgotten.revision
}

/**
 * The document with the plan carried out. Loads commit to the same document, so everything is decided anew on the
 * newest one; only the names of tables were settled when they were prepared.
 */
function register(plan: Plan, document: RegistryDocument, prepared: readonly ViewStep[]): RegistryDocument {
  if (isRegistered(plan, document)) return document
  checkCurrent(plan, document)
  const tables = new Map(prepared.map((step) => [step.view, step.table]))
  const steps = viewSteps(document, plan.desired, []).map((step) => ({
    ...step,
    table: tables.get(step.view) ?? step.table,
  }))
  const reserved = new Set(document.reservedTables)
  if (newTablesOf(steps).some((table) => !reserved.has(table))) {
    throw stale('another apply ran at the same time')
  }
  return nextDocument(document, plan.desired, steps)
}

function tablesToPrepare(steps: readonly ViewStep[], desired: Definitions): readonly OnlineTable[] {
  return steps.flatMap(({view: name, effect, table}) => {
    const view = desired.featureViews.find((one) => one.name === name)
    if (view === undefined || !['create', 'replace', 'alter'].includes(effect.table)) return []
    return [onlineTableOf(view, desired, table)]
  })
}

function isRegistered(plan: Plan, document: RegistryDocument): boolean {
  return (
    baseRevisionOf(document.project, document.definitions) === baseRevisionOf(document.project, plan.desired)
  )
}

const severity = {safe: 0, backfill: 1, destroys_data: 2} as const satisfies Record<ChangeImpact, number>

/** Throws FS_PLAN_STALE unless the plan says of this document what would happen, and nothing less. */
function checkCurrent(plan: Plan, document: RegistryDocument): void {
  const now = createPlan(plan.desired, document)
  if (now.baseRevision !== plan.baseRevision) {
    throw stale('other definitions were registered since it was made')
  }
  const reviewed = new Map(plan.changes.map((change) => [change.address, change]))
  for (const change of now.changes) {
    const shown = reviewed.get(change.address)
    if (shown === undefined || severity[change.impact] > severity[shown.impact])
      throw stale(`rows of ${change.address} were loaded since it was made, which it would cost`)
  }
}

function stale(reason: string): FeatureStoreError {
  return new FeatureStoreError('FS_PLAN_STALE', `The plan is stale: ${reason}. Nothing was registered.`, {
    hint: 'Make a new plan with `fs plan`, read it, and apply that.',
  })
}

function onceOpened(open: () => Promise<OnlineStore>): () => Promise<OnlineStore> {
  let store: Promise<OnlineStore> | undefined
  return () => (store ??= open())
}
