/**
 * Builders for definitions in TypeScript. They keep the literal types of names and fields, so that reads are typed,
 * and remember where they were called, so that a problem names the user's own line. They check nothing: the loader
 * checks what they return exactly as it checks YAML.
 */
import type {Field, FileFormat} from './definition.js'
import type {JsTypeOf, KeyType, ValueType} from './value-type.js'

/**
 * Marks what builders return. Registered globally because a user's file may import another copy of this package than
 * the command that loads it.
 */
export const definitionMark = Symbol.for('feature-repo.definition')

interface Authored<Kind extends string> {
  readonly kind: Kind
}

interface DocumentationSpec {
  readonly description?: string
  readonly owner?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface JoinKeySpec {
  readonly name: string
  readonly valueType: KeyType
}

export interface EntitySpec extends DocumentationSpec {
  readonly name: string
  readonly joinKeys: readonly JoinKeySpec[]
}

interface SourceSpec extends DocumentationSpec {
  readonly name: string
  /** Column of the event time. */
  readonly timestampField: string
  /** Column of the time a row became known. */
  readonly createdTimestampColumn?: string
  /** Source column to the name used in definitions. */
  readonly fieldMapping?: Readonly<Record<string, string>>
}

export interface FileSourceSpec extends SourceSpec {
  /** A file, glob or directory, relative to the repo. */
  readonly path: string
  readonly format?: FileFormat
}

export interface DuckDbSourceSpec extends SourceSpec {
  readonly path: string
  readonly table?: string
  readonly query?: string
}

export interface RedshiftSourceSpec extends SourceSpec {
  readonly table?: string
  readonly schema?: string
  readonly database?: string
  readonly query?: string
}

export interface QuerySourceSpec extends SourceSpec {
  /** SQL over other sources, named as tables. */
  readonly query: string
}

export interface DeltaSourceSpec extends SourceSpec {
  /** The folder of the table, relative to the repo. */
  readonly path: string
  /** Absent: the newest when a run begins. */
  readonly version?: number
}

export interface IcebergSourceSpec extends SourceSpec {
  /** The folder of the table, or one of its metadata files, relative to the repo. */
  readonly path: string
  /** Digits as text: ids are greater than 2^53. Absent: the current one when a run begins. */
  readonly snapshotId?: string
}

export interface GlueSourceSpec extends SourceSpec {
  readonly database: string
  readonly table: string
  /** The account whose catalog it is; absent: that of the credentials. */
  readonly catalogId?: string
  /** The days of its partitions are those of the event times in them: only those of an interval are read. */
  readonly partitionedBy?: 'event_time'
  /** A role to assume for the catalog, and for the objects of the table. */
  readonly roleArn?: string
}

export type DataSourceSpec =
  | ({readonly type: 'file'} & FileSourceSpec)
  | ({readonly type: 'duckdb'} & DuckDbSourceSpec)
  | ({readonly type: 'redshift'} & RedshiftSourceSpec)
  | ({readonly type: 'query'} & QuerySourceSpec)
  | ({readonly type: 'delta'} & DeltaSourceSpec)
  | ({readonly type: 'iceberg'} & IcebergSourceSpec)
  | ({readonly type: 'glue'} & GlueSourceSpec)

export interface FieldSpec {
  readonly name: string
  readonly valueType: ValueType
  readonly description?: string
}

export interface FeatureViewSpec extends DocumentationSpec {
  readonly name: string
  /** Entities, or names of entities defined elsewhere. */
  readonly entities: readonly (EntityDefinition | string)[]
  /** A source, or the name of one defined elsewhere. */
  readonly source: DataSourceDefinition | string
  /** `90s 15m 2h 1d 2w`; absent = for ever. */
  readonly ttl?: string
  /** Absent: inferred from the source. */
  readonly schema?: readonly FieldSpec[]
  readonly online?: boolean
  readonly lateness?: string
  readonly knowledgeTime?: boolean
  /** `snapshot`: the source is the whole truth, and what is gone from it is deleted online. */
  readonly sync?: 'append' | 'snapshot'
}

export interface ProjectionSpec {
  readonly view: FeatureViewDefinition | string
  readonly name?: string
  readonly features?: readonly {readonly name: string; readonly alias?: string}[]
  readonly joinKeyMap?: Readonly<Record<string, string>>
}

export interface FeatureServiceSpec extends DocumentationSpec {
  readonly name: string
  readonly features: readonly (FeatureViewDefinition | ProjectionSpec | string)[]
}

export type EntityDefinition<S extends EntitySpec = EntitySpec> = Authored<'entity'> & S
export type DataSourceDefinition<S extends DataSourceSpec = DataSourceSpec> = Authored<'data_source'> & S
export type FeatureViewDefinition<S extends FeatureViewSpec = FeatureViewSpec> = Authored<'feature_view'> & S
export type FeatureServiceDefinition<S extends FeatureServiceSpec = FeatureServiceSpec> =
  Authored<'feature_service'> & S

export type AuthoredDefinition =
  EntityDefinition | DataSourceDefinition | FeatureViewDefinition | FeatureServiceDefinition

/** What a builder adds to an authored definition, under `definitionMark`. */
export interface DefinitionMark {
  /** Stack at the call: the loader finds the user's line in it. */
  readonly stack: string
}

/** Declares the thing that features describe, by its join keys. */
export function entity<const S extends EntitySpec>(spec: S): EntityDefinition<S> {
  return mark('entity', spec, entity)
}

/** Declares a source of feature rows of any type. */
export function dataSource<const S extends DataSourceSpec>(spec: S): DataSourceDefinition<S> {
  return mark('data_source', spec, dataSource)
}

/** Declares Parquet, CSV or JSON files. */
export function fileSource<const S extends FileSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'file'}> {
  return mark('data_source', {...spec, type: 'file'}, fileSource)
}

/** Declares a table, an external table or a query of Amazon Redshift. */
export function redshiftSource<const S extends RedshiftSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'redshift'}> {
  return mark('data_source', {...spec, type: 'redshift'}, redshiftSource)
}

/** Declares a table or a query in a DuckDB database file. */
export function duckDbSource<const S extends DuckDbSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'duckdb'}> {
  return mark('data_source', {...spec, type: 'duckdb'}, duckDbSource)
}

/** Declares SQL over other sources. */
export function querySource<const S extends QuerySourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'query'}> {
  return mark('data_source', {...spec, type: 'query'}, querySource)
}

/** Declares a Delta Lake table. */
export function deltaSource<const S extends DeltaSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'delta'}> {
  return mark('data_source', {...spec, type: 'delta'}, deltaSource)
}

/** Declares an Apache Iceberg table. */
export function icebergSource<const S extends IcebergSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'iceberg'}> {
  return mark('data_source', {...spec, type: 'iceberg'}, icebergSource)
}

/** Declares a table of the AWS Glue Data Catalog. */
export function glueSource<const S extends GlueSourceSpec>(
  spec: S,
): DataSourceDefinition<S & {readonly type: 'glue'}> {
  return mark('data_source', {...spec, type: 'glue'}, glueSource)
}

/** Declares features of one or several entities from one source. */
export function featureView<const S extends FeatureViewSpec>(spec: S): FeatureViewDefinition<S> {
  return mark('feature_view', spec, featureView)
}

/** Declares the features that one model reads. */
export function featureService<const S extends FeatureServiceSpec>(spec: S): FeatureServiceDefinition<S> {
  return mark('feature_service', spec, featureService)
}

/** The values a read of all features of `V` yields; null because a row may lack a feature. */
export type FeaturesOf<V extends {readonly schema?: readonly Pick<Field, 'name' | 'valueType'>[]}> = {
  readonly [F in NonNullable<V['schema']>[number] as F['name']]: JsTypeOf<F['valueType']> | null
}

function mark<Kind extends string, S extends object>(
  kind: Kind,
  spec: S,
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- only its identity is used, to cut the stack
  caller: Function,
): Authored<Kind> & S {
  const trace: {stack?: string} = {}
  Error.captureStackTrace(trace, caller)
  const marked = {...spec, kind}
  Object.defineProperty(marked, definitionMark, {value: {stack: trace.stack ?? ''} satisfies DefinitionMark})
  return Object.freeze(marked)
}
