import type {Definitions} from '../definitions/definition.js'
import type {RegistryDocument, ViewState} from '../registry/registry.js'
import {tablesOf} from '../registry/replacement.js'
import {freeTable, takenNames} from '../registry/table-names.js'
import {viewEffect, type ViewEffect} from './view-effect.js'

/** What `apply` does to a view whose table it touches. */
export interface ViewStep {
  readonly view: string
  readonly effect: ViewEffect
  /** Its table from now on: a new name for a new table. */
  readonly table: string
}

/**
 * What happens to the tables of all views. `occupied` names tables that exist besides those the registry knows: a new
 * table never takes a name that is, or was a moment ago, another's.
 */
export function viewSteps(
  document: RegistryDocument,
  desired: Definitions,
  occupied: readonly string[],
): readonly ViewStep[] {
  const names = new Set(
    [...document.definitions.featureViews, ...desired.featureViews].map((view) => view.name),
  )
  const taken = takenNames(document, occupied)
  return [...names].map((view) => {
    const state = document.views[view]
    const effect = viewEffect(view, document.definitions, desired, state)
    const isNew = effect.table === 'create' || effect.table === 'replace'
    const table = isNew || state === undefined ? freeTable(view, taken) : state.table
    if (isNew) taken.add(table.toLowerCase())
    return {view, effect, table}
  })
}

/** The new tables among the steps. */
export function newTablesOf(steps: readonly ViewStep[]): readonly string[] {
  return steps
    .filter(({effect}) => effect.table === 'create' || effect.table === 'replace')
    .map((step) => step.table)
}

/** The document with no table reserved: what was reserved and never taken into use is to be dropped. */
export function withoutReservations(document: RegistryDocument): RegistryDocument {
  const {reservedTables = [], ...rest} = document
  if (reservedTables.length === 0) return document
  return {...rest, pendingDrops: [...new Set([...document.pendingDrops, ...reservedTables])]}
}

/** The document after a plan: the new definitions, and of each view what is still true. */
export function nextDocument(
  document: RegistryDocument,
  desired: Definitions,
  steps: readonly ViewStep[],
): RegistryDocument {
  const abandoned = steps.flatMap(({view, effect}) => {
    const state = document.views[view]
    return state !== undefined && (effect.table === 'replace' || effect.table === 'drop')
      ? tablesOf(state)
      : []
  })
  const {reservedTables = [], ...rest} = document
  const views = Object.fromEntries(
    steps.flatMap((step) => {
      const next = nextState(step, document.views[step.view])
      return next === undefined ? [] : [[step.view, next]]
    }),
  )
  const inUse = new Set(Object.values(views).map((state) => state.table))
  const unused = reservedTables.filter((table) => !inUse.has(table))
  return {
    ...rest,
    definitions: desired,
    views,
    pendingDrops: [...new Set([...document.pendingDrops, ...abandoned, ...unused])],
  }
}

function nextState({effect, table}: ViewStep, state: ViewState | undefined): ViewState | undefined {
  switch (effect.table) {
    case 'none':
    case 'drop':
      return undefined
    case 'create':
      return {table, covered: []}
    case 'replace':
      return {table, covered: [], ...whoWasAtIt(state)}
    case 'keep':
    case 'alter': {
      const {retiredFeatures: _before, ...kept} = state ?? {covered: []}
      const next = {...kept, table, ...(effect.retired.length === 0 ? {} : {retiredFeatures: effect.retired})}
      return effect.reload ? unloaded(next) : next
    }
    default:
      return effect.table satisfies never
  }
}

/** A run that is loading the view keeps its lease: it finds at its commit that the view changed, and gives it back. */
function whoWasAtIt(state: ViewState | undefined): Pick<ViewState, 'lease' | 'lastRun'> {
  return {
    ...(state?.lease === undefined ? {} : {lease: state.lease}),
    ...(state?.lastRun === undefined ? {} : {lastRun: state.lastRun}),
  }
}

/** Without coverage, and without `arrival`, so that late rows are looked for from the start again. */
function unloaded({arrival: _arrival, ...state}: ViewState): ViewState {
  return {...state, covered: []}
}
