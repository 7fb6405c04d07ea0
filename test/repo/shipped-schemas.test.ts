import {fileURLToPath} from 'node:url'
import {Ajv} from 'ajv'
import {format, resolveConfig} from 'prettier'
import {describe, expect, test} from 'vitest'
import {parseAllDocuments} from 'yaml'
import {checkSchema, type Schema} from '../../src/config/check-schema.js'
import {featureStoreSchema} from '../../src/config/feature-store-schema.js'
import {definitionSchemas} from '../../src/repo/definition-schema.js'

/** The form that editors read: formats of our own go, and a pattern's message goes by the name editors know. */
function forEditors(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(forEditors)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(key === 'format' && typeof value === 'string' && value.startsWith('fs-')))
      .map(([key, value]) => [
        key === 'errorMessage' && 'pattern' in schema ? 'patternErrorMessage' : key,
        forEditors(value),
      ]),
  )
}

const shipped = {
  'feature-store.schema.json': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'feature_store.yaml of feature-repo',
    ...(forEditors(featureStoreSchema) as object),
  },
  'definitions.schema.json': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Definitions of feature-repo',
    oneOf: forEditors(Object.values(definitionSchemas).flatMap((one) => one.oneOf ?? [one])),
  },
}

const documented = parseAllDocuments(`
kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: driver_stats
type: file
path: data/driver_stats.parquet
timestamp_field: event_timestamp
created_timestamp_column: created
field_mapping: {conv: conv_rate}
---
kind: feature_view
name: driver_hourly_stats
entities: [driver]
source: driver_stats
ttl: 1d
schema:
  - {name: conv_rate, dtype: float64}
  - {name: acc_rate, dtype: float64}
online: true
lateness: 2h
knowledge_time: false
---
kind: feature_service
name: driver_activity
features:
  - driver_hourly_stats
  - {view: driver_hourly_stats, name: other_name, features: [{name: conv_rate, alias: cr}], join_key_map: {driver_id: other_id}}
`)

const ajv = new Ajv({strict: false, allErrors: true})
const validConfig = ajv.compile(shipped['feature-store.schema.json'])
const validDefinition = ajv.compile(shipped['definitions.schema.json'])

describe('the shipped schemas', () => {
  // After a change of the schemas: npx vitest run test/repo/shipped-schemas.test.ts -u
  test.each(Object.entries(shipped))('%s says what the checks say', async (name, schema) => {
    const path = fileURLToPath(new URL(`../../schemas/${name}`, import.meta.url))
    const options = await resolveConfig(path)
    await expect(
      await format(JSON.stringify(schema, null, 2), {...options, filepath: path}),
    ).toMatchFileSnapshot(path)
  })

  test('take the documented feature_store.yaml', () => {
    const [document] = parseAllDocuments(`
project: rides
registry: data/registry.json
offline_store: {type: duckdb, extension_directory: ext}
online_store: {type: embedded, path: data/online}
`)
    expect(validConfig(document?.toJS())).toBe(true)
  })

  test('take the documented definitions', () => {
    const documents = documented.map((one) => one.toJS() as unknown)
    expect(documents.map((one) => validDefinition(one))).toEqual(documents.map(() => true))
  })
})

describe('our reading of the schemas is that of a full validator', () => {
  const config = (value: unknown) => [value, featureStoreSchema, validConfig] as const
  const definition = (value: {kind: string}) =>
    [value, definitionSchemas[value.kind] as Schema, validDefinition] as const
  const view = {kind: 'feature_view', name: 'v', entities: ['e'], source: 's'}
  test.each([
    config({}),
    config({project: 'p'}),
    config({project: 'p', offline_store: {type: 'duckdb', threads: 0}}),
    config({project: 'p', offline_store: {type: 'duckdb', threads: 1.5}}),
    config({project: 'p', offline_store: 'duckdb'}),
    config({project: 'p', online_store: {type: 'embedded', expire_after: '3 d'}}),
    config({project: 'p', online_store: {type: 'embedded', expire_after: 3}}),
    config({project: 'p', more: 1}),
    config({project: 'p', materialization: {parallel: 65}}),
    config([]),
    definition(view),
    definition({...view, ttl: 0} as never),
    definition({...view, ttl: 1} as never),
    definition({...view, ttl: '1d'} as never),
    definition({...view, ttl: 'day'} as never),
    definition({...view, schema: []} as never),
    definition({...view, schema: [{name: 'f__g', dtype: 'int64'}]} as never),
    definition({...view, schema: [{name: 'f', dtype: 'int64', tags: {a: 1}}]} as never),
    definition({
      kind: 'entity',
      name: 'e',
      join_keys: ['a', {name: 'b', value_type: 'int64'}],
      value_type: 'int64',
    } as never),
    definition({kind: 'entity', name: 'e', join_keys: [1]} as never),
    definition({kind: 'data_source', name: 's', type: 'file', path: 'x', timestamp_field: 't'} as never),
    definition({kind: 'data_source', name: 's', type: 'file', timestamp_field: 't'} as never),
    definition({kind: 'data_source', name: 's', type: 'kafka', timestamp_field: 't'} as never),
    definition({
      kind: 'data_source',
      name: 's',
      type: 'query',
      path: 'x',
      query: 'q',
      timestamp_field: 't',
    } as never),
    definition({
      kind: 'feature_service',
      name: 's',
      features: ['v', {view: 'v', features: ['f', {name: 'g', alias: 'h'}]}],
    } as never),
    definition({kind: 'feature_service', name: 's', features: [{name: 'v'}]} as never),
  ])('%j', (value, schema, validate) => {
    expect(checkSchema(value, schema).findings.length === 0).toBe(validate(value))
  })
})
