import {resolve} from 'node:path'
import {featureRowsOf, sourceTreesIn} from '../compile/feature-rows.js'
import type {EntityRows, PointInTimeQuery, ViewJoin} from '../compile/query.js'
import type {Definitions} from '../definitions/definition.js'
import {formatInstant} from '../definitions/instant.js'
import type {
  EntityFile,
  HistoricalFeaturesOptions as OptionsOf,
  UntypedRepo,
} from '../definitions/typed-repo.js'
import type {KeyType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import type {OfflineStore, RetrievalJob} from '../offline/offline-store.js'
import {detectEntityFormat} from './entity-file.js'
import {entityRowsFromRecords} from './entity-rows.js'
import {resolveFeatures, type ResolvedFeatures, type ResolvedProjection} from './resolve-features.js'

/** What a training frame is built from; with the type of a TypeScript repo, names are checked by the compiler. */
export type HistoricalFeaturesOptions<Repo = UntypedRepo> = OptionsOf<Repo>

const defaultTimestampColumn = 'event_timestamp'

/**
 * A training frame, checked and compiled; nothing ran yet. Throws what `pointInTimeQuery` throws, and what the offline
 * store finds wrong with the entity rows.
 */
export async function historicalFeatures(
  options: HistoricalFeaturesOptions & {
    readonly definitions: Definitions
    readonly offlineStore: OfflineStore
  },
): Promise<RetrievalJob> {
  return options.offlineStore.retrieve(await pointInTimeQuery(options))
}

/**
 * The question to the offline store. Throws what `resolveFeatures` throws, FS_ARGUMENT_INVALID for options that
 * contradict each other, FS_NOT_SUPPORTED where a source can't tell what was known at a time.
 */
export async function pointInTimeQuery(
  options: HistoricalFeaturesOptions & {readonly definitions: Definitions},
): Promise<PointInTimeQuery> {
  const {definitions, asKnownAt, timestampColumn = defaultTimestampColumn} = options
  const {features, featureService, fullFeatureNames} = options
  const resolved = resolveFeatures(definitions, {features, featureService, fullFeatureNames})
  checkTimestampColumn(resolved, timestampColumn)
  if (asKnownAt !== undefined) checkCreatedTimestamps(resolved, definitions)
  return {
    kind: 'point_in_time',
    entityRows: await readEntityRows(options, resolved, timestampColumn),
    timestampColumn,
    joins: viewJoins(resolved, definitions),
    ...(asKnownAt === undefined ? {} : {asKnownAt}),
  }
}

function viewJoins({projections}: ResolvedFeatures, definitions: Definitions): readonly ViewJoin[] {
  const aliases = new Set<string>()
  return projections.map(({name, view, keys, features}): ViewJoin => {
    let alias = name
    // Engines compare names without regard to case.
    for (let count = 2; aliases.has(alias.toLowerCase()); count += 1) alias = `${name}_${count}`
    aliases.add(alias.toLowerCase())
    return {
      alias,
      rows: featureRowsOf(view, definitions),
      entityColumns: keys.map(({column}) => column),
      ...(view.ttl === undefined ? {} : {ttl: view.ttl}),
      knowledgeTime: view.knowledgeTime,
      outputs: features.map(({feature, as}) => ({feature, as})),
    }
  })
}

async function readEntityRows(
  options: HistoricalFeaturesOptions & {readonly definitions: Definitions},
  resolved: ResolvedFeatures,
  timestampColumn: string,
): Promise<EntityRows> {
  const {entities, entitySql, start, end, definitions} = options
  const hasInterval = start !== undefined || end !== undefined
  const given = [entities !== undefined, entitySql !== undefined, hasInterval].filter(Boolean).length
  if (given !== 1) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `${given === 0 ? 'There are no entity rows' : 'Entity rows are given in more than one way'}. Expected one of: entities, SQL, or a start and an end.`,
      {
        hint: 'Use --entities FILE, --entity-sql SQL, or --start with --end (SDK: `entities`, `entitySql`, `start` and `end`).',
      },
    )
  }
  if (hasInterval) return {kind: 'interval', interval: readInterval(options, resolved.projections)}
  if (entitySql !== undefined) {
    return {kind: 'sql', sql: entitySql, inputs: sourceTreesIn(entitySql, definitions.dataSources)}
  }
  if (typeof entities === 'string') {
    const path = resolve(entities)
    return {kind: 'file', path, format: await detectEntityFormat(path)}
  }
  if (isEntityFile(entities)) return {...entities, path: resolve(entities.path)}
  return entityRowsFromRecords(entities ?? [], {keyTypes: keyTypesOf(resolved.projections), timestampColumn})
}

function isEntityFile(entities: HistoricalFeaturesOptions['entities']): entities is EntityFile {
  return typeof entities === 'object' && entities !== null && 'kind' in entities
}

function readInterval(
  {start, end}: HistoricalFeaturesOptions,
  projections: readonly ResolvedProjection[],
): Extract<EntityRows, {kind: 'interval'}>['interval'] {
  if (start === undefined || end === undefined) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `Feature rows of an interval are asked for without its ${start === undefined ? 'start' : 'end'}.`,
      {hint: 'Give both --start and --end (SDK: `start`, `end`).'},
    )
  }
  if (start >= end) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `The interval from ${formatInstant(start)} to ${formatInstant(end)} holds no time: it is after the start, up to and including the end.`,
      {hint: 'Give an end that is later than the start.'},
    )
  }
  checkOneTypePerColumn(projections)
  return {start, end}
}

/** Without entity rows, the columns come from the views: one that is two types has no type. */
function checkOneTypePerColumn(projections: readonly ResolvedProjection[]): void {
  const seen = new Map<string, {readonly type: KeyType; readonly view: string}>()
  for (const {keys, view} of projections) {
    for (const {column, joinKey} of keys) {
      const other = seen.get(column.toLowerCase())
      if (other !== undefined && other.type !== joinKey.valueType) {
        throw new FeatureStoreError(
          'FS_REFERENCE_AMBIGUOUS',
          `Key column \`${column}\` is ${other.type} in view \`${other.view}\` and ${joinKey.valueType} in view \`${view.name}\`, so rows of both can't stand in one column.`,
          {hint: 'Ask for the views one by one, or give entity rows.'},
        )
      }
      seen.set(column.toLowerCase(), {type: joinKey.valueType, view: view.name})
    }
  }
}

/** A column that two views read as two types has the first: the other casts it, or says that it can't. */
function keyTypesOf(projections: readonly ResolvedProjection[]): ReadonlyMap<string, KeyType> {
  const types = new Map<string, KeyType>()
  for (const {keys} of projections) {
    for (const {column, joinKey} of keys) if (!types.has(column)) types.set(column, joinKey.valueType)
  }
  return types
}

function checkTimestampColumn({projections}: ResolvedFeatures, timestampColumn: string): void {
  const folded = timestampColumn.toLowerCase()
  for (const {name, view, keys, features} of projections) {
    const feature = features.find(({as}) => as.toLowerCase() === folded)
    const key = keys.find(({column}) => column.toLowerCase() === folded)
    if (feature === undefined && key === undefined) continue
    throw new FeatureStoreError(
      'FS_REFERENCE_AMBIGUOUS',
      feature === undefined
        ? `\`${timestampColumn}\` is the column of the event time and also a join key of view \`${view.name}\`.`
        : `Two results would be named \`${timestampColumn}\`: the column of the event time and \`${name}:${feature.feature}\`.`,
      {hint: 'Name another column of the entity rows with --timestamp-column (SDK: `timestampColumn`).'},
    )
  }
}

function checkCreatedTimestamps({projections}: ResolvedFeatures, definitions: Definitions): void {
  for (const {view} of projections) {
    const source = definitions.dataSources.find(({name}) => name === view.source)
    if (source?.createdTimestampColumn !== undefined) continue
    throw new FeatureStoreError(
      'FS_NOT_SUPPORTED',
      `View \`${view.name}\` can't be read as known at a time: its source \`${view.source}\` has no created timestamp.`,
      {
        hint: `Name the column that says when a row became known with created_timestamp_column in data_source/${view.source}, or leave --as-known-at out.`,
      },
    )
  }
}
