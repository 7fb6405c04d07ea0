/**
 * Types of requests and answers that follow from a repo written in TypeScript:
 *
 *   import type * as repo from './features.js'
 *   const store = await FeatureStore.open<typeof repo>('.')
 *
 * Then a feature, view or service that the repo does not export is a compile error, and rows have the types of the
 * schema. Several files are `typeof a | typeof b`. What YAML files define is unknown here; without a type argument
 * everything is text.
 */
import type {
  EntityDefinition,
  FeatureServiceDefinition,
  FeatureViewDefinition,
  FieldSpec,
  JoinKeySpec,
} from './builders.js'
import type {Instant} from './instant.js'
import type {JsTypeOf, KeyType, Value, ValueType} from './value-type.js'

declare const untyped: unique symbol

/** Stands for a repo whose types are not known: names are text, values any of their kinds. */
export interface UntypedRepo {
  readonly [untyped]: true
}

/** `view:feature`, or `view` for all of its features. */
export type FeatureReferenceOf<Repo> = IfTyped<Repo, ReferenceTo<ViewsOf<Repo>>, string>

/** Names of feature services. */
export type FeatureServiceNameOf<Repo> = IfTyped<Repo, NameOf<ServicesOf<Repo>>, string>

/** What is asked for: exactly one of `features` and `featureService`. */
export interface FeatureSelectionOf<Repo> {
  readonly features?: readonly FeatureReferenceOf<Repo>[] | undefined
  readonly featureService?: FeatureServiceNameOf<Repo> | undefined
  /** Features are named `view__feature`. */
  readonly fullFeatureNames?: boolean | undefined
}

/** One entity as the caller gives it: a value for each join key. Text is read as the key's type says. */
export type EntityKeysOf<Repo> = IfTyped<
  Repo,
  {readonly [K in KeyColumnsOf<Repo> as K['name']]?: KeyInputOf<K['valueType']>},
  UntypedEntityKeys
>

export type UntypedEntityKeys = Readonly<Record<string, KeyInputOf<KeyType> | null>>

export interface OnlineFeaturesOptions<Repo> extends FeatureSelectionOf<Repo> {
  readonly entities: readonly EntityKeysOf<Repo>[]
}

/** What a training frame is built from. Give `entities`, `entitySql`, or `start` and `end`. */
export interface HistoricalFeaturesOptions<Repo> extends FeatureSelectionOf<Repo> {
  /** A file (relative to the current folder), or the rows themselves: keys, event timestamp and any other columns. */
  readonly entities?: string | EntityFile | readonly EntityRecord[] | undefined
  /** SQL over data sources, which it names as tables. */
  readonly entitySql?: string | undefined
  /** Without entity rows: every feature row after `start` … */
  readonly start?: Instant | undefined
  /** … up to and including `end`, each as of its own event time. */
  readonly end?: Instant | undefined
  /** Column of the entity rows that holds the event time; `event_timestamp` by default. */
  readonly timestampColumn?: string | undefined
  /** Only feature rows that were created at or before this instant. */
  readonly asKnownAt?: Instant | undefined
}

export interface EntityFile {
  readonly kind: 'file'
  readonly path: string
  readonly format: 'parquet' | 'csv' | 'json' | 'arrow'
}

/**
 * A row of entities for a training frame. The event timestamp is microseconds since 1970, ISO text or a `Date`; columns
 * that are no key become `int64` (bigint), `float64` (number), `string`, `bool`, `bytes` or `timestamp` (`Date`).
 */
export type EntityRecord = Readonly<
  Record<string, string | number | bigint | boolean | Uint8Array | Date | null>
>

/** The row that an online read gives for one entity: its keys, then the features asked for. */
export type OnlineRowOf<Repo, Options> = IfTyped<
  Repo,
  Options extends {readonly fullFeatureNames: infer Full}
    ? [Full] extends [true]
      ? AskedRow<Repo, Options, true>
      : [Full] extends [false | undefined]
        ? AskedRow<Repo, Options, false>
        : UntypedRow
    : AskedRow<Repo, Options, false>,
  UntypedRow
>

export type UntypedRow = Readonly<Record<string, Value | null>>

type IfTyped<Repo, Typed, Untyped> = [unknown] extends [Repo]
  ? Untyped
  : [Repo] extends [UntypedRepo]
    ? Untyped
    : Typed

// What a repo exports: definitions themselves, in arrays, or in plain objects.

type Exported<Repo> = Repo extends unknown ? DefinitionsIn<Repo[keyof Repo]> : never
type DefinitionsIn<T> = T extends {readonly kind: string}
  ? T
  : T extends readonly (infer Element)[]
    ? Element
    : T extends Readonly<Record<string, infer Inner>>
      ? Inner
      : never

type ServicesOf<Repo> = Extract<Exported<Repo>, FeatureServiceDefinition>
type EntitiesOf<Repo> = Extract<Exported<Repo>, EntityDefinition>
/** Also views that only a service holds. */
type ViewsOf<Repo> =
  | Extract<Exported<Repo>, FeatureViewDefinition>
  | Extract<ViewIn<ServicesOf<Repo>['features'][number]>, FeatureViewDefinition>

type ViewIn<P> = P extends {readonly kind: 'feature_view'}
  ? P
  : P extends {readonly view: infer V}
    ? V
    : never

type NameOf<Definition> = Definition extends {readonly name: infer Name extends string} ? Name : never
type Named<Definition, Name> = Definition extends {readonly name: Name} ? Definition : never

/** Without a schema in the definition (it is inferred from the source) any name may be a feature. */
type FieldsOf<View> = View extends {readonly schema: readonly (infer F extends FieldSpec)[]} ? F : FieldSpec

type ReferenceTo<View> = View extends {readonly name: infer Name extends string}
  ? Name | `${Name}:${FieldsOf<View>['name']}`
  : never

// The columns of an answer.

interface TypedColumn<Name extends string, JsType> {
  readonly name: Name
  readonly type: JsType
}

type Row<Column extends TypedColumn<string, unknown>> = {
  readonly [C in Column as C['name']]: C['type']
}

/** One of several services gives one of several rows; a list made at run time may lack any of its features. */
type AskedRow<Repo, Options, Full extends boolean> = Options extends {
  readonly featureService: infer Name extends string
}
  ? Name extends unknown
    ? Row<ProjectionColumns<Repo, Named<ServicesOf<Repo>, Name>['features'][number], Full>>
    : never
  : Options extends {readonly features: infer Asked extends readonly unknown[]}
    ? number extends Asked['length']
      ? Partial<Row<ReferenceColumns<Repo, Asked[number], Full>>>
      : Row<ReferenceColumns<Repo, Asked[number], Full>>
    : never

type ReferenceColumns<Repo, Reference, Full extends boolean> = Reference extends `${infer View}:${infer Name}`
  ? ViewColumns<Repo, Named<ViewsOf<Repo>, View>, View, Name, Full>
  : ViewColumns<Repo, Named<ViewsOf<Repo>, Reference>, Reference, string, Full>

type ProjectionColumns<Repo, P, Full extends boolean> = P extends string
  ? ViewColumns<Repo, Named<ViewsOf<Repo>, P>, P, string, Full>
  : P extends {readonly kind: 'feature_view'; readonly name: infer Name}
    ? ViewColumns<Repo, P, Name, string, Full>
    : P extends {readonly view: infer V}
      ? NamedProjectionColumns<Repo, P, V extends string ? Named<ViewsOf<Repo>, V> : V, Full>
      : never

type NamedProjectionColumns<Repo, P, View, Full extends boolean> =
  | KeyColumns<Repo, View, P extends {readonly joinKeyMap: infer Map} ? Map : unknown>
  | (P extends {readonly features: readonly (infer Picked)[]}
      ? PickedColumn<View, Picked, ProjectionName<P, View>, Full>
      : FeatureColumn<FieldsOf<View>, ProjectionName<P, View>, string, Full>)

type ProjectionName<P, View> = P extends {readonly name: infer Name extends string} ? Name : NameOf<View>

type PickedColumn<View, Picked, Prefix, Full extends boolean> = Picked extends {
  readonly name: infer Name extends string
}
  ? TypedColumn<
      ResultName<Prefix, Picked extends {readonly alias: infer Alias extends string} ? Alias : Name, Full>,
      FeatureType<Extract<FieldsOf<View>, {readonly name: Name}>>
    >
  : never

type ViewColumns<Repo, View, Prefix, Name, Full extends boolean> = View extends unknown
  ? KeyColumns<Repo, View, unknown> | FeatureColumn<FieldsOf<View>, Prefix, Name, Full>
  : never

type FeatureColumn<Field, Prefix, Name, Full extends boolean> = Field extends FieldSpec
  ? string extends Field['name']
    ? TypedColumn<ResultName<Prefix, Extract<Name, string>, Full>, Value | null>
    : Field['name'] extends Name
      ? TypedColumn<ResultName<Prefix, Field['name'], Full>, FeatureType<Field>>
      : never
  : never

/** Null because a row, or an entity, may lack a feature. */
type FeatureType<Field> = Field extends {readonly valueType: infer T extends ValueType}
  ? JsTypeOf<T> | null
  : never

type ResultName<Prefix, Name extends string, Full extends boolean> = Full extends true
  ? `${Extract<Prefix, string>}__${Name}`
  : Name

type KeyColumns<Repo, View, Map> =
  JoinKeysOfView<Repo, View> extends infer Key
    ? Key extends JoinKeySpec
      ? TypedColumn<MappedName<Map, Key['name']>, JsTypeOf<Key['valueType']>>
      : never
    : never

type MappedName<Map, Name extends string> = Map extends {readonly [K in Name]: infer Column extends string}
  ? Column
  : Name

type JoinKeysOfView<Repo, View> = View extends {readonly entities: readonly (infer E)[]}
  ? E extends string
    ? Named<EntitiesOf<Repo>, E>['joinKeys'][number]
    : E extends EntityDefinition
      ? E['joinKeys'][number]
      : never
  : never

// The columns of a request.

interface KeyColumn {
  readonly name: string
  readonly valueType: KeyType
}

/** Join keys of all views, and the columns that services map them to. */
type KeyColumnsOf<Repo> =
  | EntitiesOf<Repo>['joinKeys'][number]
  | JoinKeysOfView<Repo, ViewsOf<Repo>>
  | MappedKeys<Repo, ServicesOf<Repo>['features'][number]>

type MappedKeys<Repo, P> = P extends {readonly view: infer V; readonly joinKeyMap: infer Map}
  ? JoinKeysOfView<Repo, V extends string ? Named<ViewsOf<Repo>, V> : V> extends infer Key
    ? Key extends KeyColumn
      ? {readonly name: MappedName<Map, Key['name']>; readonly valueType: Key['valueType']}
      : never
    : never
  : never

type KeyInputOf<T extends KeyType> = T extends 'int64' | 'int32'
  ? bigint | number | string
  : T extends 'timestamp'
    ? bigint | Date | string
    : T extends 'bool'
      ? boolean | string
      : T extends 'bytes'
        ? Uint8Array | string
        : string
