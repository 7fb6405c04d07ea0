/** What every driver says of a registry. */
import {noDefinitions} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'
import type {RegistrySnapshot} from './registry.js'

/** What was never committed has no revision of its own making; no commit ever gets this one. */
export const emptyRevision = 'none'

/** Of a project that was never applied. */
export function emptySnapshot(project: string): RegistrySnapshot {
  return {
    revision: emptyRevision,
    document: {project, definitions: noDefinitions, views: {}, pendingDrops: [], runs: []},
  }
}

/** FS_REGISTRY_CONFLICT; `place` is where the registry is, as it may be shown. */
export function registryConflict(place: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_REGISTRY_CONFLICT',
    `Another process changed the registry ${place} in the meantime. Nothing was changed.`,
    {hint: 'Run the command again.'},
  )
}
