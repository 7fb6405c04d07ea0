import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import {duckDbTypeOfHive} from '../../compile/dialects/hive-types.js'
import type {Entity} from '../../definitions/definition.js'
import type {KeyType, ValueType} from '../../definitions/value-type.js'
import {keyTypes} from '../../definitions/value-type.js'
import {datedKeys} from './partition-days.js'
import type {GlueAccess} from './glue-catalog.js'
import type {CatalogColumn, CatalogTable} from './catalog-table.js'

/** YAML for people to confirm: a source, a view of all that can be a feature, and an entity where a new one is needed. */
export interface DraftDefinitions {
  readonly text: string
  readonly entity?: Entity
}

/** From the likeliest name of an event time down. */
const eventNames = [
  /^event_?(timestamp|time|ts|at)$/,
  /^(timestamp|ts|time|datetime)$/,
  /_(timestamp|ts|time|at)$/,
  /date$/,
]
const createdNames =
  /^(created|created_(at|time|timestamp|ts)|ingested_at|ingest(ion)?_(time|timestamp)|loaded_at|_?inserted_at)$/

/** `id`, `driver_id` and `driverId`, and not `valid`. */
const keyName = /(^|_)id$|(?<=[a-z0-9])Id$/

/** Drafts definitions of a table. `entities` are those of the repo: the first whose join keys the table has is used. */
export function draftDefinitions(
  table: CatalogTable,
  access: GlueAccess,
  entities: readonly Entity[],
): DraftDefinitions {
  const all = [...table.columns, ...table.partitionKeys].map((column) => ({
    ...column,
    valueType: typeOf(column),
  }))
  const times = all.filter(({valueType}) => valueType === 'timestamp' || valueType === 'date')
  const created = times.find(({name}) => createdNames.test(name))
  const event = guessEventTime(times.filter((one) => one !== created)) ?? created
  const known = entities.find(({joinKeys}) =>
    joinKeys.every(({name}) => all.some((one) => one.name === name)),
  )
  const entity = known ?? newEntity(all, entities)
  const name = table.name
    .replaceAll(/\W+/g, '_')
    .replaceAll(/__+/g, '_')
    .replace(/^(?=\d)/, '_')
  const notFeatures = new Set([
    event?.name,
    created?.name,
    ...(entity?.joinKeys.map((key) => key.name) ?? []),
    ...table.partitionKeys.map((key) => key.name),
  ])
  const features = all.filter((column) => !notFeatures.has(column.name))
  const lines = [
    `# From the Glue table ${table.database}.${table.name}. Confirm what is marked, then run \`fs plan\`.`,
    ...(entity === undefined || entity === known ? [] : [...entityLines(entity), '---']),
    'kind: data_source',
    `name: ${name}`,
    'type: glue',
    `database: ${quoted(table.database)}`,
    `table: ${quoted(table.name)}`,
    ...(access.catalogId === undefined ? [] : [`catalog_id: '${access.catalogId}'`]),
    ...(access.roleArn === undefined ? [] : [`role_arn: ${quoted(access.roleArn)}`]),
    ...(datedKeys(table.partitionKeys, event?.name ?? '') !== undefined
      ? [
          // A partition of the day of loading may hold late rows, which would be left out in silence.
          '# partitioned_by: event_time # if the days of the partitions are those of the event times, not of loading: loads then read only theirs',
        ]
      : []),
    event === undefined
      ? 'timestamp_field: event_timestamp # confirm: no column of the table is a time'
      : `timestamp_field: ${quoted(event.name)} # confirm`,
    ...(created === undefined || created === event
      ? []
      : [`created_timestamp_column: ${quoted(created.name)} # confirm`]),
    '---',
    'kind: feature_view',
    `name: ${name}`,
    entity === undefined
      ? 'entities: [entity] # confirm: no column of the table looks like a key'
      : `entities: [${entity.name}] # confirm`,
    `source: ${name}`,
    ...featureLines(features),
  ]
  return {text: `${lines.join('\n')}\n`, ...(entity === undefined || entity === known ? {} : {entity})}
}

function typeOf(column: CatalogColumn): ValueType | undefined {
  const native = duckDbTypeOfHive(column.type)
  return native === undefined ? undefined : valueTypeOf(native)
}

function guessEventTime<T extends {readonly name: string; readonly valueType: ValueType | undefined}>(
  times: readonly T[],
): T | undefined {
  // A date is a time only where there is nothing finer.
  for (const candidates of [times.filter(({valueType}) => valueType === 'timestamp'), times]) {
    for (const pattern of eventNames) {
      const found = candidates.find(({name}) => pattern.test(name.toLowerCase()))
      if (found !== undefined) return found
    }
    if (candidates[0] !== undefined) return candidates[0]
  }
  return undefined
}

/** `driver` of `driver_id`, unless the repo has another entity of that name. */
function newEntity(
  columns: readonly {readonly name: string; readonly valueType: ValueType | undefined}[],
  entities: readonly Entity[],
): Entity | undefined {
  const key = columns.find(
    ({name, valueType}) =>
      /^[A-Za-z_]\w*$/.test(name) && keyName.test(name) && keyTypes.includes(valueType as KeyType),
  )
  if (key === undefined) return undefined
  const name = key.name.replace(keyName, '') || 'entity'
  if (entities.some((one) => one.name === name)) return undefined
  return {kind: 'entity', name, joinKeys: [{name: key.name, valueType: key.valueType as KeyType}]}
}

function entityLines({name, joinKeys}: Entity): readonly string[] {
  const keys = joinKeys.map((key) => `{name: ${quoted(key.name)}, value_type: ${key.valueType}}`)
  return ['kind: entity', `name: ${name}`, `join_keys: [${keys.join(', ')}] # confirm`]
}

function featureLines(
  features: readonly (CatalogColumn & {readonly valueType: ValueType | undefined})[],
): readonly string[] {
  const isName = ({name}: CatalogColumn): boolean =>
    /^(?!.*__)[A-Za-z_]\w{0,127}$/.test(name) && name.toLowerCase() !== 'event_timestamp'
  const usable = features.filter((one) => one.valueType !== undefined && isName(one))
  const left = features.filter((one) => !usable.includes(one))
  return [
    ...(usable.length === 0 ? [] : ['schema:']),
    ...usable.map(({name, valueType = ''}) => `  - {name: ${quoted(name)}, dtype: ${quotedType(valueType)}}`),
    ...left.map(({name, type, valueType}) =>
      valueType === undefined
        ? `# left out: ${name}, for no type of a feature holds a ${type}`
        : `# left out: ${name}, which can't be the name of a feature; a field_mapping gives it another`,
    ),
  ]
}

function quoted(text: string): string {
  return /^[A-Za-z_][\w./:-]*$/.test(text) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text) &&
    !text.endsWith(':')
    ? text
    : `'${text.replaceAll("'", "''")}'`
}

/** A comma within braces would end the value. */
function quotedType(type: string): string {
  return type.includes(',') ? `'${type}'` : type
}
