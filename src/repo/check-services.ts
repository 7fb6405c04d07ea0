import {didYouMean} from '../definitions/nearest-name.js'
import type {FeatureService, FeatureView, Projection} from '../definitions/definition.js'
import type {ProblemList} from './problem-list.js'
import type {LoadedDefinition} from './repo-contents.js'
import type {RepoIndex} from './repo-index.js'

/**
 * Checks services against the views they use. `views` holds views with their final schemas; one that could not be
 * finished is absent, and its features are not judged.
 */
export function checkServices(
  index: RepoIndex,
  views: ReadonlyMap<string, FeatureView>,
  problems: ProblemList,
): void {
  for (const loaded of index.list('feature_service')) {
    loaded.definition.features.forEach((projection, at) => {
      if (index.isUnknown('feature_view', projection.view)) {
        problems.add(
          'FS_DEFINITION_UNKNOWN',
          loaded,
          ['features', at, 'view'],
          `there is no feature view \`${projection.view}\`.`,
          index.suggest('feature_view', projection.view),
        )
        return
      }
      checkFeatures(loaded, projection, at, views.get(projection.view), problems)
      checkKeyMap(loaded, projection, at, index, problems)
    })
    checkProjectionNames(loaded, problems)
    checkOutputNames(loaded, views, problems)
  }
}

function checkFeatures(
  loaded: LoadedDefinition<FeatureService>,
  projection: Projection,
  at: number,
  view: FeatureView | undefined,
  problems: ProblemList,
): void {
  if (view === undefined) return
  const known = view.schema.map(({name}) => name)
  projection.features?.forEach(({name}, index) => {
    if (known.includes(name)) return
    problems.add(
      'FS_DEFINITION_UNKNOWN',
      loaded,
      ['features', at, 'features', index],
      `view \`${view.name}\` has no feature \`${name}\` (features: ${known.join(', ')}).`,
      didYouMean(name, known) ?? 'Use one of the features of the view.',
    )
  })
}

function checkKeyMap(
  loaded: LoadedDefinition<FeatureService>,
  projection: Projection,
  at: number,
  index: RepoIndex,
  problems: ProblemList,
): void {
  const view = index.find('feature_view', projection.view)
  const keys = view === undefined ? undefined : index.joinKeys(view)?.map(({name}) => name)
  if (keys === undefined) return
  for (const key of Object.keys(projection.joinKeyMap ?? {})) {
    if (keys.includes(key)) continue
    problems.add(
      'FS_DEFINITION_UNKNOWN',
      loaded,
      ['features', at, 'join_key_map', key],
      `view \`${projection.view}\` has no join key \`${key}\` (join keys: ${keys.join(', ')}).`,
      "Name a join key of the view on the left and the entity rows' column on the right.",
    )
  }
}

function checkProjectionNames(loaded: LoadedDefinition<FeatureService>, problems: ProblemList): void {
  const seen = new Set<string>()
  loaded.definition.features.forEach((projection, at) => {
    const name = projection.name ?? projection.view
    if (seen.has(name.toLowerCase()))
      problems.add(
        'FS_DEFINITION_DUPLICATE',
        loaded,
        ['features', at],
        `it uses a view under the name \`${name}\` twice.`,
        'Give one of the two another `name`.',
      )
    seen.add(name.toLowerCase())
  })
}

/**
 * Two features under one name are a mistake where full names don't tell them apart either. What only full names tell
 * apart (one view twice, as origin and destination) is the reader's to ask for.
 */
function checkOutputNames(
  loaded: LoadedDefinition<FeatureService>,
  views: ReadonlyMap<string, FeatureView>,
  problems: ProblemList,
): void {
  const taken = new Map<string, string>()
  loaded.definition.features.forEach((projection, at) => {
    const features = projection.features ?? views.get(projection.view)?.schema.map(({name}) => ({name})) ?? []
    features.forEach((feature, index) => {
      const output = ('alias' in feature ? feature.alias : undefined) ?? feature.name
      const name = projection.name ?? projection.view
      const reference = `${name}:${feature.name}`
      const fullName = `${name}__${output}`.toLowerCase()
      const earlier = taken.get(fullName)
      if (earlier !== undefined && earlier !== reference)
        problems.add(
          'FS_DEFINITION_INVALID',
          loaded,
          projection.features === undefined ? ['features', at] : ['features', at, 'features', index],
          `\`${earlier}\` and \`${reference}\` would both be named \`${output}\`.`,
          'Give one of them an `alias`.',
        )
      else if (earlier === reference)
        problems.add(
          'FS_DEFINITION_DUPLICATE',
          loaded,
          ['features', at, 'features', index],
          `\`${reference}\` stands twice as \`${output}\`.`,
          'Remove one of the two, or give it an `alias`.',
        )
      if (earlier === undefined) taken.set(fullName, reference)
    })
  })
}
