import {joinKeysOf, type Definitions, type FeatureView} from '../definitions/definition.js'
import type {OnlineTable} from './online-store.js'

/** A view as the online store sees it; `name` is its table, which the registry keeps for each view. */
export function onlineTableOf(view: FeatureView, definitions: Definitions, name: string): OnlineTable {
  return {
    view: view.name,
    name,
    joinKeys: joinKeysOf(view, definitions),
    features: view.schema,
    ...(view.sync === 'snapshot' ? {isSnapshot: true} : {}),
  }
}
