/**
 * What a change of definitions means for the rows of one view that are online. Plans show it, `applyPlan` does it: one
 * place decides, so that what was shown is what happens.
 */
import {
  addressOf,
  joinKeysOf,
  type DataSource,
  type Definitions,
  type FeatureView,
} from '../definitions/definition.js'
import {formatDefinition} from '../definitions/snake-case.js'
import type {ViewState} from '../registry/registry.js'
import {diffDefinition} from './diff-definition.js'
import type {ChangeImpact} from './plan.js'
import {lineageOf} from './source-lineage.js'

export interface ViewEffect {
  /**
   * Its online table: `none` before and after; stays as it is (`keep`); gets other features in place (`alter`); is
   * created; a new one takes its place (`replace`), since rows of the old one mean something else; is dropped.
   */
  readonly table: 'none' | 'keep' | 'alter' | 'create' | 'replace' | 'drop'
  /** Features that its table still holds and the view no longer has, once this is done. */
  readonly retired: NonNullable<ViewState['retiredFeatures']>
  /** What was loaded counts as not loaded: the next incremental run loads it again. */
  readonly reload: boolean
  readonly impact: ChangeImpact
  /** Why, for people. */
  readonly notes: readonly string[]
}

/** The effect on the view `name` of going from the registered definitions to others. `state` is what is registered of it. */
export function viewEffect(
  name: string,
  registered: Definitions,
  desired: Definitions,
  state: ViewState | undefined,
): ViewEffect {
  const before = findView(name, registered)
  const after = findView(name, desired)
  const loaded = holdsRows(state)
  if (before?.online !== true && after?.online !== true) return untouched('none')
  if (before?.online !== true) {
    const notes = before === undefined ? [] : ['nothing of it is online yet']
    const impact = before === undefined ? 'safe' : 'backfill'
    return {table: 'create', retired: [], reload: false, impact, notes}
  }
  if (after?.online !== true) {
    const reason = after === undefined ? 'the view is gone' : 'the view is no longer online'
    return dropped(loaded, `${reason}: its online table is dropped`)
  }

  const lost = before.schema.filter((field) => !hasFeature(after, field.name))
  const retired = [...(state?.retiredFeatures ?? []), ...lost.map(({name, valueType}) => ({name, valueType}))]
  const rebuild = [
    ...reasonsToRebuild(before, after, registered, desired),
    ...reasonsOfRetired(after, retired),
  ]
  if (rebuild.length > 0) return rebuilt(loaded, rebuild)
  const reload = reasonsToReload(before, after, registered, desired)
  return {
    table: namesOf(before) === namesOf(after) ? 'keep' : 'alter',
    retired: retired.filter((field) => !hasFeature(after, field.name)),
    reload: loaded && reload.length > 0,
    impact: !loaded ? 'safe' : lost.length > 0 ? 'destroys_data' : reload.length > 0 ? 'backfill' : 'safe',
    notes: [
      ...lost.map((field) => `online values of ${field.name} can no longer be read`),
      ...reload.map((reason) => `${reason}: what was loaded is loaded again`),
    ].filter(() => loaded),
  }
}

/** Whether rows of the view may be online: some were loaded, or a run is at it. */
function holdsRows(state: ViewState | undefined): boolean {
  if (state === undefined) return false
  return state.covered.length > 0 || state.newestEventTimestamp !== undefined || state.lease !== undefined
}

/** Rows of the old definition can't be told from, or would win over, rows of the new one. */
function reasonsToRebuild(
  before: FeatureView,
  after: FeatureView,
  registered: Definitions,
  desired: Definitions,
): readonly string[] {
  const reasons: string[] = []
  // What a sync removed, it removed for times up to its own: rows of those times would not come back everywhere.
  if (before.sync === 'snapshot' && after.sync !== 'snapshot')
    reasons.push('it is no longer synced as a whole')
  const [oldKeys, keys] = [keyTextOf(before, registered), keyTextOf(after, desired)]
  if (oldKeys !== keys) reasons.push(`the key changes from (${oldKeys}) to (${keys})`)
  for (const field of after.schema) {
    const old = before.schema.find((one) => one.name === field.name)
    if (old !== undefined && old.valueType !== field.valueType)
      reasons.push(`the type of ${field.name} changes from ${old.valueType} to ${field.valueType}`)
  }
  // Online, a newer row is never replaced by an older one. When time itself is read from another column, rows loaded
  // before could stay for ever.
  const [oldSource, source] = [findSource(before, registered), findSource(after, desired)]
  if (oldSource === undefined || source === undefined) return reasons
  if (columnBehind(oldSource, oldSource.timestampField) !== columnBehind(source, source.timestampField))
    reasons.push('its event time comes from another column')
  const created = oldSource.createdTimestampColumn
  if (created !== undefined) {
    const now = source.createdTimestampColumn
    if (now === undefined || columnBehind(oldSource, created) !== columnBehind(source, now))
      reasons.push('its created time comes from another column')
  }
  return reasons
}

/** A feature may come back, but not as another type: rows written before would be read as what they are not. */
function reasonsOfRetired(after: FeatureView, retired: ViewEffect['retired']): readonly string[] {
  return after.schema.flatMap((field) => {
    const old = retired.find((one) => one.name === field.name && one.valueType !== field.valueType)
    return old === undefined ? [] : [`rows of before hold a ${field.name} of type ${old.valueType}`]
  })
}

/** What loading again does not cure: online, no row gives way to an older one, and none goes but in a sync of the whole. */
const oldRowsStay = ({sync}: FeatureView): string =>
  sync === 'snapshot' ? '' : '; rows that only the old one has, or has newer, stay'

/** Rows stay readable, and each is replaced when it is loaded again. */
function reasonsToReload(
  before: FeatureView,
  after: FeatureView,
  registered: Definitions,
  desired: Definitions,
): readonly string[] {
  const reasons: string[] = []
  const names = after.schema.map((field) => field.name)
  const added = names.filter((name) => !hasFeature(before, name))
  if (added.length > 0) reasons.push(`rows loaded so far lack ${added.join(', ')}`)
  // Among rows of one time the largest values decide, feature by feature: another order may choose another row.
  else if (names.some((name, index) => before.schema[index]?.name !== name))
    reasons.push('the order of its features changes, which decides between rows of the same time')
  // Into another table: see `replacement.ts`.
  if (before.sync !== 'snapshot' && after.sync === 'snapshot')
    reasons.push('it is synced as a whole from now on')
  if (before.ttl !== undefined && (after.ttl === undefined || after.ttl > before.ttl))
    reasons.push('rows that were too old count again')
  if (before.source !== after.source)
    reasons.push(`it reads ${after.source} instead of ${before.source}${oldRowsStay(after)}`)
  else reasons.push(...changedSources(after, registered, desired))
  return reasons
}

function changedSources(view: FeatureView, registered: Definitions, desired: Definitions): readonly string[] {
  const old = new Map(lineageOf(view.source, registered.dataSources).map((source) => [source.name, source]))
  const now = new Map(lineageOf(view.source, desired.dataSources).map((source) => [source.name, source]))
  // A source that comes or goes from the lineage does so by the query that names it.
  return [...now.values()].flatMap((source) => {
    const earlier = old.get(source.name)
    // Most sources stay as they are, and a diff of each for each view would take most of a plan's time.
    if (earlier === undefined || JSON.stringify(earlier) === JSON.stringify(source)) return []
    const paths = diffDefinition(
      formatDefinition(withoutDocumentation(earlier)),
      formatDefinition(withoutDocumentation(source)),
    )
    if (paths.length === 0) return []
    return [
      `${addressOf(source)} changes (${paths.map((field) => field.path).join(', ')})${oldRowsStay(view)}`,
    ]
  })
}

function withoutDocumentation(source: DataSource): DataSource {
  const {description: _description, owner: _owner, tags: _tags, ...rest} = source
  return rest
}

/** The column of the source's own that a name stands for after its field mapping. */
function columnBehind(source: DataSource, name: string): string {
  const mapped = Object.entries(source.fieldMapping ?? {}).find(([, to]) => to === name)
  return mapped?.[0] ?? name
}

function keyTextOf(view: FeatureView, definitions: Definitions): string {
  return joinKeysOf(view, definitions)
    .map((key) => `${key.name} ${key.valueType}`)
    .join(', ')
}

/** The features in order; of those in both, the types are known to be equal. */
function namesOf(view: FeatureView): string {
  return view.schema.map((field) => field.name).join()
}

function hasFeature(view: FeatureView, name: string): boolean {
  return view.schema.some((field) => field.name === name)
}

function findView(name: string, definitions: Definitions): FeatureView | undefined {
  return definitions.featureViews.find((view) => view.name === name)
}

function findSource(view: FeatureView, definitions: Definitions): DataSource | undefined {
  return definitions.dataSources.find((source) => source.name === view.source)
}

function untouched(table: 'none'): ViewEffect {
  return {table, retired: [], reload: false, impact: 'safe', notes: []}
}

function dropped(loaded: boolean, note: string): ViewEffect {
  const impact = loaded ? 'destroys_data' : 'safe'
  return {table: 'drop', retired: [], reload: false, impact, notes: loaded ? [note] : []}
}

function rebuilt(loaded: boolean, reasons: readonly string[]): ViewEffect {
  const impact = loaded ? 'destroys_data' : 'safe'
  const notes = reasons.map((reason) => `${reason}: its online table is built anew, empty`)
  return {table: 'replace', retired: [], reload: true, impact, notes}
}
