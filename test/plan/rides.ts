import {
  collectDefinitions,
  listDefinitions,
  type FileSource,
  type QuerySource,
  type Definition,
  type Definitions,
  type Entity,
  type FeatureService,
  type FeatureView,
} from '../../src/definitions/definition.js'
import type {RegistryDocument, ViewState} from '../../src/registry/registry.js'

export const driver: Entity = {
  kind: 'entity',
  name: 'driver',
  joinKeys: [{name: 'driver_id', valueType: 'int64'}],
}

export const trips: FileSource = {
  kind: 'data_source',
  name: 'trips',
  type: 'file',
  path: 'data/trips.parquet',
  timestampField: 'event_timestamp',
  createdTimestampColumn: 'created',
}

/** Reads `trips`. */
export const daily: QuerySource = {
  kind: 'data_source',
  name: 'daily',
  type: 'query',
  query: 'SELECT * FROM Trips',
  timestampField: 'event_timestamp',
}

export const stats: FeatureView = {
  kind: 'feature_view',
  name: 'stats',
  entities: ['driver'],
  source: 'trips',
  ttl: 86_400_000_000n,
  schema: [
    {name: 'conv_rate', valueType: 'float64'},
    {name: 'acc_rate', valueType: 'float64'},
    {name: 'trips_today', valueType: 'int64'},
  ],
  online: true,
  knowledgeTime: false,
}

export const totals: FeatureView = {
  kind: 'feature_view',
  name: 'totals',
  entities: ['driver'],
  source: 'daily',
  schema: [{name: 'total', valueType: 'float64'}],
  online: true,
  knowledgeTime: false,
}

export const activity: FeatureService = {
  kind: 'feature_service',
  name: 'activity',
  features: [
    {view: 'stats', features: [{name: 'conv_rate'}, {name: 'acc_rate', alias: 'ar'}]},
    {view: 'totals'},
  ],
}

export const rides: Definitions = collectDefinitions([driver, trips, daily, stats, totals, activity])

/** `rides` with some definitions exchanged, by kind and name; `without` names those to leave out. */
export function ridesWith(changed: readonly Definition[], without: readonly string[] = []): Definitions {
  const byAddress = new Map(
    [...listDefinitions(rides), ...changed].map((one) => [`${one.kind}/${one.name}`, one]),
  )
  for (const address of without) byAddress.delete(address)
  return collectDefinitions(byAddress.values())
}

export function documentOf(
  definitions: Definitions,
  views: Readonly<Record<string, ViewState>> = {},
): RegistryDocument {
  return {project: 'rides', definitions, views, pendingDrops: [], runs: []}
}

/** What the registry holds of a view that was loaded once. */
export function loaded(table: string): ViewState {
  return {
    table,
    covered: [{start: 0n, end: 1_000_000n}],
    newestEventTimestamp: 999_999n,
    arrival: {created: 5n, rows: 1},
    lastRun: {runId: 'r1', status: 'ok', finishedAt: 1_000_001n},
  }
}

export const loadedRides = documentOf(rides, {stats: loaded('stats'), totals: loaded('totals')})
