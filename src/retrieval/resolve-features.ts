/**
 * What a request asks for, with every name looked up: the one reading of `view:feature`, `view` and services that
 * training frames and online reads share, so that both give the same features under the same names in the same order.
 */
import {
  joinKeysOf,
  type Definitions,
  type FeatureService,
  type FeatureView,
  type Field,
  type JoinKey,
  type Projection,
} from '../definitions/definition.js'
import type {ValueType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import {listNames, suggestName} from '../definitions/nearest-name.js'
import {parseReferences} from './feature-reference.js'

/** Exactly one of `features` (`view:feature`, or `view` for all of it) and `featureService`. */
export interface FeatureSelection {
  readonly features?: readonly string[] | undefined
  readonly featureService?: string | undefined
  /** Features are named `view__feature`. */
  readonly fullFeatureNames?: boolean | undefined
}

/** One use of a view. */
export interface ResolvedProjection {
  /** The name it goes by in results: the view's own, unless a service gives it another. */
  readonly name: string
  readonly view: FeatureView
  /** The view's join keys in order, each with the entity column that holds it. */
  readonly keys: readonly {readonly joinKey: JoinKey; readonly column: string}[]
  /** In the order asked for. */
  readonly features: readonly ResolvedFeature[]
}

export interface ResolvedFeature {
  /** Its name in the view. */
  readonly feature: string
  readonly valueType: ValueType
  /** Its name in results. */
  readonly as: string
}

export interface ResolvedFeatures {
  /** In the order they are first asked for. */
  readonly projections: readonly ResolvedProjection[]
  /** Every feature in the order asked for, as places in `projections`. */
  readonly order: readonly {readonly projection: number; readonly feature: number}[]
}

/**
 * Looks up everything a selection names. Throws FS_ARGUMENT_INVALID for a selection that is no selection,
 * FS_REFERENCE_UNKNOWN for a name that is not there, FS_REFERENCE_AMBIGUOUS for two results of one name.
 */
export function resolveFeatures(definitions: Definitions, selection: FeatureSelection): ResolvedFeatures {
  const {features, featureService, fullFeatureNames = false} = selection
  if ((features === undefined) === (featureService === undefined)) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      features === undefined
        ? 'No features are asked for. Expected either features or a feature service.'
        : 'Features and a feature service are both asked for. Expected one of them.',
      {hint: 'Name features as view:feature, or name one feature service.'},
    )
  }
  const resolved =
    features === undefined
      ? resolveService(definitions, featureService as string, fullFeatureNames)
      : resolveReferences(definitions, features, fullFeatureNames)
  checkNames(resolved, fullFeatureNames, featureService)
  return resolved
}

/** Text that is equal for equal selections only: a key to keep what was prepared for one. */
export function selectionKey({features, featureService, fullFeatureNames}: FeatureSelection): string {
  return JSON.stringify([fullFeatureNames === true, featureService ?? null, features ?? null])
}

export function equalSelections(one: FeatureSelection, other: FeatureSelection): boolean {
  return (
    one.featureService === other.featureService &&
    (one.fullFeatureNames === true) === (other.fullFeatureNames === true) &&
    one.features?.length === other.features?.length &&
    (one.features === undefined || one.features.every((name, index) => name === other.features?.[index]))
  )
}

function resolveReferences(
  definitions: Definitions,
  features: readonly string[],
  full: boolean,
): ResolvedFeatures {
  const projections = new Map<
    string,
    {index: number; projection: ResolvedProjection; features: ResolvedFeature[]}
  >()
  const order: {projection: number; feature: number}[] = []
  for (const {view: viewName, feature: featureName, text} of parseReferences(features)) {
    let entry = projections.get(viewName)
    if (entry === undefined) {
      const view = viewNamed(definitions, viewName)
      const resolved: ResolvedFeature[] = []
      const projection = {name: viewName, view, keys: keysOf(view, {}, definitions), features: resolved}
      entry = {index: projections.size, projection, features: resolved}
      projections.set(viewName, entry)
    }
    const {index, projection, features: resolved} = entry
    const {view} = projection
    const asked = featureName === undefined ? view.schema : [fieldNamed(definitions, view, featureName)]
    for (const field of asked) {
      if (resolved.some((one) => one.feature === field.name))
        throw askedTwice(`${viewName}:${field.name}`, text)
      order.push({projection: index, feature: resolved.length})
      resolved.push(resolveField(field, viewName, field.name, full))
    }
  }
  return {projections: [...projections.values()].map(({projection}) => projection), order}
}

function resolveService(definitions: Definitions, name: string, full: boolean): ResolvedFeatures {
  const service = serviceNamed(definitions, name)
  const projections = service.features.map((projection): ResolvedProjection => {
    const view = viewNamed(definitions, projection.view)
    const as = projection.name ?? view.name
    const asked = projection.features ?? view.schema.map((field): {name: string; alias?: string} => field)
    return {
      name: as,
      view,
      keys: keysOf(view, projection.joinKeyMap ?? {}, definitions),
      features: asked.map(({name: feature, alias}) =>
        resolveField(fieldNamed(definitions, view, feature), as, alias ?? feature, full),
      ),
    }
  })
  const order = projections.flatMap(({features}, projection) =>
    features.map((_, feature) => ({projection, feature})),
  )
  return {projections, order}
}

function resolveField(field: Field, projection: string, name: string, full: boolean): ResolvedFeature {
  return {feature: field.name, valueType: field.valueType, as: full ? `${projection}__${name}` : name}
}

function keysOf(
  view: FeatureView,
  map: NonNullable<Projection['joinKeyMap']>,
  definitions: Definitions,
): ResolvedProjection['keys'] {
  const joinKeys = joinKeysOf(view, definitions)
  const names = joinKeys.map(({name}) => name)
  const unknown = Object.keys(map).find((key) => !names.includes(key))
  if (unknown !== undefined) {
    throw new FeatureStoreError(
      'FS_REFERENCE_UNKNOWN',
      `View \`${view.name}\` has no join key \`${unknown}\` to map.${suggestName(unknown, names)} Its join keys: ${listNames(names)}.`,
      {hint: 'Correct join_key_map of the feature service.'},
    )
  }
  return joinKeys.map((joinKey) => ({joinKey, column: map[joinKey.name] ?? joinKey.name}))
}

function viewNamed(definitions: Definitions, name: string): FeatureView {
  const view = definitions.featureViews.find((one) => one.name === name)
  if (view !== undefined) return view
  const names = definitions.featureViews.map((one) => one.name)
  const isService = definitions.featureServices.some((one) => one.name === name)
  const holder = definitions.featureViews.find((one) => one.schema.some((field) => field.name === name))
  throw new FeatureStoreError(
    'FS_REFERENCE_UNKNOWN',
    names.length === 0
      ? `There is no feature view \`${name}\`: none is registered.`
      : `There is no feature view \`${name}\`.${suggestName(name, names)} Feature views: ${listNames(names)}.`,
    {
      hint: isService
        ? `\`${name}\` is a feature service: ask for it with --feature-service (SDK: \`featureService\`).`
        : holder === undefined
          ? 'Name a registered view; `fs apply` registers what the repo defines.'
          : `Did you mean the feature \`${holder.name}:${name}\`? Every feature is named with its view.`,
    },
  )
}

function serviceNamed(definitions: Definitions, name: string): FeatureService {
  const service = definitions.featureServices.find((one) => one.name === name)
  if (service !== undefined) return service
  const names = definitions.featureServices.map((one) => one.name)
  const isView = definitions.featureViews.some((one) => one.name === name)
  throw new FeatureStoreError(
    'FS_REFERENCE_UNKNOWN',
    names.length === 0
      ? `There is no feature service \`${name}\`: none is registered.`
      : `There is no feature service \`${name}\`.${suggestName(name, names)} Feature services: ${listNames(names)}.`,
    {
      hint: isView
        ? `\`${name}\` is a feature view: ask for it with --features (SDK: \`features\`).`
        : 'Name a registered service; `fs apply` registers what the repo defines.',
    },
  )
}

function fieldNamed(definitions: Definitions, view: FeatureView, name: string): Field {
  const field = view.schema.find((one) => one.name === name)
  if (field !== undefined) return field
  const names = view.schema.map((one) => one.name)
  const isKey = joinKeysOf(view, definitions).some((key) => key.name === name)
  throw new FeatureStoreError(
    'FS_REFERENCE_UNKNOWN',
    `View \`${view.name}\` has no feature \`${name}\`.${suggestName(name, names)} Its features: ${listNames(names)}.`,
    {
      hint: isKey
        ? `\`${name}\` is a join key: it comes with every answer, so leave it out.`
        : 'Name one of its features; after a change of the repo run `fs apply` first.',
    },
  )
}

function askedTwice(feature: string, text: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    text === feature
      ? `\`${feature}\` is asked for twice.`
      : `\`${feature}\` is asked for twice: \`${text}\` means all features of the view.`,
    {hint: 'Ask for each feature once.'},
  )
}

/** No two results may have one name; engines compare names without regard to case, so this does too. */
function checkNames(
  {projections, order}: ResolvedFeatures,
  full: boolean,
  service: string | undefined,
): void {
  const taken = new Map<string, string>()
  for (const {keys, view} of projections) {
    for (const {column} of keys)
      taken.set(column.toLowerCase(), `join key \`${column}\` of view \`${view.name}\``)
  }
  for (const place of order) {
    const projection = projections[place.projection] as ResolvedProjection
    const {feature, as} = projection.features[place.feature] as ResolvedFeature
    const described = `\`${projection.name}:${feature}\``
    const other = taken.get(as.toLowerCase())
    if (other !== undefined) {
      throw new FeatureStoreError(
        'FS_REFERENCE_AMBIGUOUS',
        `Two results would be named \`${as}\`: ${other} and ${described}. Expected a name of its own for each.`,
        {hint: clashHint(full, service)},
      )
    }
    taken.set(as.toLowerCase(), described)
  }
}

function clashHint(full: boolean, service: string | undefined): string {
  const fullNames = 'full feature names: --full-feature-names (SDK: `fullFeatureNames: true`)'
  if (service === undefined) {
    return full
      ? 'Put the features in a feature service and give one of them an alias there.'
      : `Ask for ${fullNames}.`
  }
  return full
    ? `Give one of them an alias in feature_service/${service}, or its view another name there.`
    : `Ask for ${fullNames}, or give one of them an alias in feature_service/${service}.`
}
