/**
 * The YAML and JSON form of definitions: snake_case, durations as text, short forms allowed. The one place that knows
 * both spellings. `parseDefinition` takes data that already passed the JSON Schema and every semantic check of `repo/`.
 */
import type {
  Definition,
  DataSource,
  Entity,
  FeatureService,
  FeatureView,
  Field,
  Projection,
} from './definition.js'
import {formatDuration, parseDuration} from './duration.js'
import {parseValueType, type KeyType, type ValueType} from './value-type.js'

/** A definition as people write it: plain JSON data with snake_case names. */
export type PlainDefinition = Readonly<Record<string, unknown>> & {
  readonly kind: string
  readonly name: string
}

type Plain = Readonly<Record<string, unknown>>

/** The full form: no short forms, defaults written out, absent keys left out, keys in the order of the documentation. */
export function formatDefinition(definition: Definition): PlainDefinition {
  switch (definition.kind) {
    case 'entity':
      return plain(definition, {
        join_keys: definition.joinKeys.map((key) => ({name: key.name, value_type: key.valueType})),
      })
    case 'data_source':
      return plain(definition, {
        type: definition.type,
        ...formatSourceSettings(definition),
        timestamp_field: definition.timestampField,
        created_timestamp_column: definition.createdTimestampColumn,
        field_mapping: definition.fieldMapping,
      })
    case 'feature_view':
      return plain(definition, {
        entities: definition.entities,
        source: definition.source,
        ttl: definition.ttl === undefined ? undefined : formatDuration(definition.ttl),
        schema: definition.schema.map((field) =>
          withoutAbsent({name: field.name, dtype: field.valueType, ...notes(field)}),
        ),
        online: definition.online,
        lateness: definition.lateness === undefined ? undefined : formatDuration(definition.lateness),
        knowledge_time: definition.knowledgeTime,
        sync: definition.sync,
      })
    case 'feature_service':
      return plain(definition, {
        features: definition.features.map((projection) =>
          withoutAbsent({
            view: projection.view,
            name: projection.name,
            features: projection.features,
            join_key_map: projection.joinKeyMap,
          }),
        ),
      })
    default:
      return definition satisfies never
  }
}

/** The inverse of `formatDefinition`; also takes the short forms. */
export function parseDefinition(plain: PlainDefinition): Definition {
  switch (plain.kind as Definition['kind']) {
    case 'entity':
      return parseEntity(plain)
    case 'data_source':
      return parseSource(plain)
    case 'feature_view':
      return parseView(plain)
    case 'feature_service':
      return parseService(plain)
    default:
      throw new Error(`no such kind of definition: ${plain.kind}`)
  }
}

function parseEntity(plain: PlainDefinition): Entity {
  const keys = plain['join_keys'] as readonly (string | {name: string; value_type?: string})[]
  const shared = plain['value_type'] as string | undefined
  return freeze({
    kind: 'entity',
    name: plain.name,
    joinKeys: keys.map((key) => {
      const {name, value_type: own} = typeof key === 'string' ? {name: key} : key
      return {name, valueType: parseValueType(own ?? shared ?? 'string') as KeyType}
    }),
    ...parseNotes(plain),
  })
}

function parseSource(plain: PlainDefinition): DataSource {
  return freeze({
    kind: 'data_source',
    name: plain.name,
    type: plain['type'],
    ...pick(plain, ['path', 'format', 'schema', 'database', 'table', 'query', 'version']),
    ...rename(plain, {
      snapshot_id: 'snapshotId',
      catalog_id: 'catalogId',
      role_arn: 'roleArn',
      partitioned_by: 'partitionedBy',
    }),
    timestampField: plain['timestamp_field'],
    ...rename(plain, {created_timestamp_column: 'createdTimestampColumn', field_mapping: 'fieldMapping'}),
    ...parseNotes(plain),
  } as unknown as DataSource)
}

function parseView(plain: PlainDefinition): FeatureView {
  const fields = (plain['schema'] ?? []) as readonly Plain[]
  const ttl = optionalDuration(plain['ttl'])
  const lateness = optionalDuration(plain['lateness'])
  return freeze({
    kind: 'feature_view',
    name: plain.name,
    entities: plain['entities'] as readonly string[],
    source: plain['source'] as string,
    // A ttl of 0 means for ever, as in Feast.
    ...(ttl === undefined || ttl === 0n ? {} : {ttl}),
    schema: fields.map((field): Field => ({
      name: field['name'] as string,
      valueType: parseValueType(field['dtype'] as string) as ValueType,
      ...parseNotes(field),
    })),
    online: (plain['online'] as boolean | undefined) ?? true,
    ...(lateness === undefined || lateness === 0n ? {} : {lateness}),
    knowledgeTime: (plain['knowledge_time'] as boolean | undefined) ?? false,
    ...(plain['sync'] === 'snapshot' ? {sync: 'snapshot'} : {}),
    ...parseNotes(plain),
  })
}

function parseService(plain: PlainDefinition): FeatureService {
  const projections = plain['features'] as readonly (string | Plain)[]
  return freeze({
    kind: 'feature_service',
    name: plain.name,
    features: projections.map((projection): Projection => {
      if (typeof projection === 'string') return {view: projection}
      return {
        view: projection['view'] as string,
        ...pick(projection, ['name']),
        ...(projection['features'] === undefined
          ? {}
          : {
              features: (projection['features'] as readonly (string | {name: string; alias?: string})[]).map(
                (one) => (typeof one === 'string' ? {name: one} : one),
              ),
            }),
        ...rename(projection, {join_key_map: 'joinKeyMap'}),
      }
    }),
    ...parseNotes(plain),
  })
}

function formatSourceSettings(source: DataSource): Plain {
  switch (source.type) {
    case 'file':
      return {path: source.path, format: source.format}
    case 'duckdb':
      return {path: source.path, table: source.table, query: source.query}
    case 'redshift':
      return {database: source.database, schema: source.schema, table: source.table, query: source.query}
    case 'query':
      return {query: source.query}
    case 'delta':
      return {path: source.path, version: source.version}
    case 'iceberg':
      return {path: source.path, snapshot_id: source.snapshotId}
    case 'glue':
      return {
        database: source.database,
        table: source.table,
        catalog_id: source.catalogId,
        partitioned_by: source.partitionedBy,
        role_arn: source.roleArn,
      }
    default:
      return source satisfies never
  }
}

function plain(definition: Definition, rest: Plain): PlainDefinition {
  return withoutAbsent({
    kind: definition.kind,
    name: definition.name,
    ...notes(definition),
    ...rest,
  }) as PlainDefinition
}

function notes(documented: {description?: string; owner?: string; tags?: unknown}): Plain {
  return {description: documented.description, owner: documented.owner, tags: documented.tags}
}

function parseNotes(plain: Plain): {
  description?: string
  owner?: string
  tags?: Readonly<Record<string, string>>
} {
  return pick(plain, ['description', 'owner', 'tags'])
}

function pick(plain: Plain, names: readonly string[]): Plain {
  return rename(plain, Object.fromEntries(names.map((name) => [name, name])))
}

function rename(plain: Plain, names: Readonly<Record<string, string>>): Plain {
  return Object.fromEntries(
    Object.entries(names)
      .filter(([from]) => plain[from] !== undefined)
      .map(([from, to]) => [to, plain[from]]),
  )
}

function withoutAbsent(record: Plain): Plain {
  // A plain loop: this runs for every field of every definition, several times in a plan.
  const present: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(record)) if (value !== undefined) present[key] = value
  return present
}

function optionalDuration(value: unknown): bigint | undefined {
  return value === undefined || value === null
    ? undefined
    : parseDuration(typeof value === 'number' ? value.toString() : (value as string))
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) freeze(inner as object)
  }
  return Object.freeze(value)
}
