import type {FeatureView} from '../definitions/definition.js'
import {listNames, suggestName} from '../definitions/nearest-name.js'
import {FeatureStoreError} from '../errors.js'
import type {RegistryDocument} from '../registry/registry.js'

/** The registered views to load, or to verify: those named, else all that are online. Throws when there is none. */
export function chooseViews(
  names: readonly string[] | undefined,
  {definitions, project}: RegistryDocument,
  what: 'load' | 'verify' = 'load',
): readonly FeatureView[] {
  const {featureViews} = definitions
  if (featureViews.length === 0) {
    throw new FeatureStoreError(
      'FS_NOT_APPLIED',
      `Nothing is applied in project ${project}, so there is nothing to ${what}.`,
      {hint: 'Run `fs apply`.'},
    )
  }
  if (names !== undefined) return [...new Set(names)].map((name) => findView(name, featureViews, what))
  const online = featureViews.filter((view) => view.online)
  if (online.length > 0) return online
  throw new FeatureStoreError(
    'FS_NOT_APPLIED',
    `No applied feature view is online, so there is nothing to ${what}.`,
    {hint: 'Set `online: true` on a view and run `fs apply`.'},
  )
}

function findView(name: string, views: readonly FeatureView[], what: 'load' | 'verify'): FeatureView {
  const view = views.find((one) => one.name === name)
  if (view?.online === true) return view
  if (view !== undefined) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `feature_view/${name} is not online, so it can't be ${what === 'load' ? 'loaded' : 'verified'}.`,
      {
        hint: 'Set `online: true` on it and run `fs apply`.',
      },
    )
  }
  const known = views.filter((one) => one.online).map((one) => one.name)
  throw new FeatureStoreError(
    'FS_REFERENCE_UNKNOWN',
    `There is no applied feature view \`${name}\`.${suggestName(name, known)}`,
    {
      hint:
        known.length === 0
          ? 'No view is online: set `online: true` on one and run `fs apply`.'
          : `Name one of: ${listNames(known)}. \`fs apply\` registers new ones.`,
    },
  )
}
