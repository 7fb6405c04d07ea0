/**
 * What users define, as plain frozen data. YAML and TypeScript files both end here; the registry stores it; plans
 * compare it. Names are Feast's, in camelCase; `snake-case.ts` is the one place that knows their YAML form.
 */
import type {Duration} from './duration.js'
import type {KeyType, ValueType} from './value-type.js'

/** What every definition may carry; none of it changes a value. */
export interface Documentation {
  readonly description?: string
  readonly owner?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface JoinKey {
  readonly name: string
  readonly valueType: KeyType
}

/** The thing that features describe; its join keys, in this order, identify it. */
export interface Entity extends Documentation {
  readonly kind: 'entity'
  readonly name: string
  readonly joinKeys: readonly JoinKey[]
}

interface DataSourceCommon extends Documentation {
  readonly kind: 'data_source'
  readonly name: string
  /** Column of the event time, named as after `fieldMapping`. */
  readonly timestampField: string
  /** Column of the time a row became known; decides between rows of one event time. */
  readonly createdTimestampColumn?: string
  /** Column in the source to the name used in definitions. */
  readonly fieldMapping?: Readonly<Record<string, string>>
}

export type FileFormat = 'parquet' | 'csv' | 'json'

/** Files read by the engine: one file, a glob, or a directory (hive partitions become columns). */
export interface FileSource extends DataSourceCommon {
  readonly type: 'file'
  readonly path: string
  /** Absent: told by the file's ending. */
  readonly format?: FileFormat
}

/** A table, or a query, in a DuckDB database file. Exactly one of `table` and `query`. */
export interface DuckDbSource extends DataSourceCommon {
  readonly type: 'duckdb'
  readonly path: string
  readonly table?: string
  readonly query?: string
}

/** A table, a view or an external table of Amazon Redshift, or a query there. Exactly one of `table` and `query`. */
export interface RedshiftSource extends DataSourceCommon {
  readonly type: 'redshift'
  readonly table?: string
  /** Absent: what the search path of the user says. */
  readonly schema?: string
  /** Absent: that of the offline store. */
  readonly database?: string
  readonly query?: string
}

/** SQL over other sources, which it names as tables. */
export interface QuerySource extends DataSourceCommon {
  readonly type: 'query'
  readonly query: string
}

/** A Delta Lake table: a folder with a `_delta_log`. Each run reads one version of it. */
export interface DeltaSource extends DataSourceCommon {
  readonly type: 'delta'
  readonly path: string
  /** Absent: the newest when a run begins. */
  readonly version?: number
  readonly role?: RoleBelow
}

/** An Apache Iceberg table: a folder with `metadata/`, or one metadata file. Each run reads one snapshot of it. */
export interface IcebergSource extends DataSourceCommon {
  readonly type: 'iceberg'
  readonly path: string
  /** Digits, for it is greater than 2^53. Absent: the current one when a run begins. */
  readonly snapshotId?: string
  readonly role?: RoleBelow
}

/** A role to assume for all that lies below a path, `s3://bucket/prefix/`. A catalog's tables have one; no definition says it. */
export interface RoleBelow {
  readonly arn: string
  readonly below: string
}

/** A table of the AWS Glue Data Catalog, which says where its objects are and of what format. */
export interface GlueSource extends DataSourceCommon {
  readonly type: 'glue'
  readonly database: string
  readonly table: string
  /** The account whose catalog it is; absent: that of the credentials. */
  readonly catalogId?: string
  /** A role to assume for the catalog, and for the objects of the table. */
  readonly roleArn?: string
  /**
   * The days of its partitions are those of the event times in them, give or take one: then a load reads those of its
   * interval alone. Absent: they may be those of loading, or of anything else, and all are read.
   */
  readonly partitionedBy?: 'event_time'
}

export type DataSource =
  FileSource | DuckDbSource | RedshiftSource | QuerySource | DeltaSource | IcebergSource | GlueSource

/** A feature: its column in the source (after mapping) and its type. */
export interface Field extends Documentation {
  readonly name: string
  readonly valueType: ValueType
}

/** Features of one entity (or tuple of entities) from one source. */
export interface FeatureView extends Documentation {
  readonly kind: 'feature_view'
  readonly name: string
  /** Names of entities; their join keys, concatenated, are the key of the view. */
  readonly entities: readonly string[]
  /** Name of the data source. */
  readonly source: string
  /** How long a value may be served after its event time; absent = for ever. */
  readonly ttl?: Duration
  /** Features in order. Before the source was looked at this may be empty: it is then inferred. */
  readonly schema: readonly Field[]
  readonly online: boolean
  /** How much before the watermark each incremental run reads again. */
  readonly lateness?: Duration
  /** Point-in-time joins see only rows already created at the entity row's time. */
  readonly knowledgeTime: boolean
  /**
   * `snapshot`: the source is the whole truth at each run; what it says wins, and what is gone from it is deleted online.
   * Absent: the source gains rows, and newer ones win.
   */
  readonly sync?: 'snapshot'
}

/** One use of a view in a service: some of its features, perhaps under other names and keys. */
export interface Projection {
  readonly view: string
  /** The name the view goes by in results, when it is used under another (twice in one service, say). */
  readonly name?: string
  /** Absent: all features of the view. */
  readonly features?: readonly {readonly name: string; readonly alias?: string}[]
  /** The view's join key to the column of the entity rows that holds it. */
  readonly joinKeyMap?: Readonly<Record<string, string>>
}

export interface FeatureService extends Documentation {
  readonly kind: 'feature_service'
  readonly name: string
  readonly features: readonly Projection[]
}

export type Definition = Entity | DataSource | FeatureView | FeatureService
export type DefinitionKind = Definition['kind']

/** In dependency order: each kind refers only to kinds before it. */
export const definitionKinds = [
  'entity',
  'data_source',
  'feature_view',
  'feature_service',
] as const satisfies DefinitionKind[]

/** All definitions of a project, each list sorted by name. */
export interface Definitions {
  readonly entities: readonly Entity[]
  readonly dataSources: readonly DataSource[]
  readonly featureViews: readonly FeatureView[]
  readonly featureServices: readonly FeatureService[]
}

export const noDefinitions: Definitions = Object.freeze({
  entities: [],
  dataSources: [],
  featureViews: [],
  featureServices: [],
})

/** Sorts definitions into their lists, each by name. */
export function collectDefinitions(definitions: Iterable<Definition>): Definitions {
  const byName = [...definitions].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return {
    entities: byName.filter((one) => one.kind === 'entity'),
    dataSources: byName.filter((one) => one.kind === 'data_source'),
    featureViews: byName.filter((one) => one.kind === 'feature_view'),
    featureServices: byName.filter((one) => one.kind === 'feature_service'),
  }
}

/** All definitions, in dependency order. */
export function listDefinitions(definitions: Definitions): readonly Definition[] {
  return [
    ...definitions.entities,
    ...definitions.dataSources,
    ...definitions.featureViews,
    ...definitions.featureServices,
  ]
}

/** `feature_view/driver_hourly_stats`: how plans and messages name a definition. */
export function addressOf(definition: {readonly kind: DefinitionKind; readonly name: string}): string {
  return `${definition.kind}/${definition.name}`
}

/** The join keys of a view, in the order of its entities. Every entity must be in `definitions`. */
export function joinKeysOf(view: FeatureView, definitions: Definitions): readonly JoinKey[] {
  return view.entities.flatMap((name) => {
    const entity = definitions.entities.find((one) => one.name === name)
    if (entity === undefined) throw new Error(`entity ${name} of view ${view.name} is not in the definitions`)
    return entity.joinKeys
  })
}
