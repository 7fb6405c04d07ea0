/**
 * A view whose table may hold rows that nobody knows of (a backup was put back, say) and that is synced as a whole is loaded
 * into another table. Readers keep the old one until that is whole.
 */
import type {RegistryDocument, ViewState} from './registry.js'
import {withoutCoverage} from './view-coverage.js'

/** The state of what a run loads: of the replacement, where there is one. */
export function loadedState(state: ViewState): ViewState {
  const {replacement, ...rest} = state
  if (replacement === undefined) return state
  const {table, begunSyncs} = replacement
  return {...withoutCoverage(rest), table, ...(begunSyncs === undefined ? {} : {begunSyncs})}
}

/** All tables of a view. */
export function tablesOf({table, replacement}: ViewState): readonly string[] {
  return replacement === undefined ? [table] : [table, replacement.table]
}

/** The document with another state of a view; tables that the view had and has no more are to be dropped. */
export function withViewState(document: RegistryDocument, name: string, state: ViewState): RegistryDocument {
  const before = document.views[name]
  const left =
    before === undefined ? [] : tablesOf(before).filter((table) => !tablesOf(state).includes(table))
  return {
    ...document,
    views: {...document.views, [name]: state},
    pendingDrops:
      left.length === 0 ? document.pendingDrops : [...new Set([...document.pendingDrops, ...left])],
  }
}
