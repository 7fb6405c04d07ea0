import type {ViewState} from './registry.js'

/** The state of a view of which nothing is online. */
export function withoutCoverage(state: ViewState): ViewState {
  const {
    newestEventTimestamp: _newest,
    arrival: _arrival,
    checkpoint: _checkpoint,
    snapshot: _snapshot,
    begunSyncs: _begun,
    storeId: _storeId,
    loadNumber: _loadNumber,
    ...rest
  } = state
  return {...rest, covered: []}
}
