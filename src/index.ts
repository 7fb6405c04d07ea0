/// <reference lib="esnext.disposable" preserve="true" />
/** The public SDK: builders for definitions, the store, and the types of what goes in and comes out. */
export {
  dataSource,
  deltaSource,
  duckDbSource,
  redshiftSource,
  entity,
  featureService,
  featureView,
  fileSource,
  glueSource,
  icebergSource,
  querySource,
} from './definitions/builders.js'
export type {
  DataSourceDefinition,
  DataSourceSpec,
  DeltaSourceSpec,
  DuckDbSourceSpec,
  RedshiftSourceSpec,
  EntityDefinition,
  EntitySpec,
  FeaturesOf,
  FeatureServiceDefinition,
  FeatureServiceSpec,
  FeatureViewDefinition,
  FeatureViewSpec,
  FieldSpec,
  FileSourceSpec,
  GlueSourceSpec,
  IcebergSourceSpec,
  JoinKeySpec,
  ProjectionSpec,
  QuerySourceSpec,
} from './definitions/builders.js'
export type {Column, ColumnBatch} from './definitions/column-batch.js'
export {valueAt} from './definitions/column-batch.js'
export type {
  DataSource,
  Definitions,
  Entity,
  FeatureService,
  FeatureView,
  Field,
  JoinKey,
  Projection,
} from './definitions/definition.js'
export type {Duration} from './definitions/duration.js'
export {formatDuration, parseDuration} from './definitions/duration.js'
export type {Instant} from './definitions/instant.js'
export {formatInstant, parseInstant} from './definitions/instant.js'
export type {Interval} from './definitions/interval.js'
export type {
  EntityFile,
  EntityKeysOf,
  EntityRecord,
  FeatureReferenceOf,
  FeatureServiceNameOf,
  HistoricalFeaturesOptions,
  OnlineFeaturesOptions,
  OnlineRowOf,
  UntypedRepo,
} from './definitions/typed-repo.js'
export type {JsTypeOf, KeyType, Value, ValueType} from './definitions/value-type.js'
export type {Environment} from './environment.js'
export {FeatureStoreError} from './errors.js'
export type {ErrorCode, Problem, SourcePosition} from './errors.js'
export {FeatureStore} from './feature-store.js'
export type {
  Difference,
  FrameFormat,
  LeftBehind,
  LoadOptions,
  MaterializeProgress,
  OnlineResponse,
  OpenOptions,
  RetrievalJob,
  Verification,
  VerifyOptions,
  VerifyProgress,
  ViewStatus,
  ViewVerification,
} from './feature-store.js'
export type {ApplyStep} from './plan/apply-plan.js'
export type {Change, ChangeImpact, ChangeOp, FieldChange, Plan} from './plan/plan.js'
export {formatPlan, parsePlan} from './plan/plan.js'
export type {RunRecord, ViewRun} from './registry/registry.js'
export type {OnlineFeatures, OnlineStatus} from './retrieval/online-features.js'
