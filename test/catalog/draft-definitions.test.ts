import {expect, test} from 'vitest'
import {parseAllDocuments} from 'yaml'
import type {CatalogTable} from '../../src/catalog/glue/catalog-table.js'
import {draftDefinitions} from '../../src/catalog/glue/draft-definitions.js'
import {checkDefinition} from '../../src/repo/check-definition.js'

const table = (
  columns: Readonly<Record<string, string>>,
  more: Partial<CatalogTable> = {},
): CatalogTable => ({
  database: 'lake',
  name: 'driver_stats',
  format: {kind: 'parquet'},
  location: 's3://b/p',
  columns: Object.entries(columns).map(([name, type]) => ({name, type})),
  partitionKeys: [],
  ...more,
})

test('a draft says all that the catalog tells, and marks what was guessed', () => {
  const {text, entity} = draftDefinitions(
    table(
      {
        driver_id: 'bigint',
        updated: 'timestamp',
        event_time: 'timestamp',
        created_at: 'timestamp',
        rate: 'double',
        price: 'decimal(10,2)',
        tags: 'array<string>',
        place: 'struct<lat:double,lon:double>',
        a__b: 'int',
        odd: 'interval_day_time',
      },
      {partitionKeys: [{name: 'dt', type: 'date'}]},
    ),
    {},
    [],
  )
  expect(text).toBe(`# From the Glue table lake.driver_stats. Confirm what is marked, then run \`fs plan\`.
kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}] # confirm
---
kind: data_source
name: driver_stats
type: glue
database: lake
table: driver_stats
# partitioned_by: event_time # if the days of the partitions are those of the event times, not of loading: loads then read only theirs
timestamp_field: event_time # confirm
created_timestamp_column: created_at # confirm
---
kind: feature_view
name: driver_stats
entities: [driver] # confirm
source: driver_stats
schema:
  - {name: updated, dtype: timestamp}
  - {name: rate, dtype: float64}
  - {name: price, dtype: 'decimal(10,2)'}
  - {name: tags, dtype: list<string>}
  - {name: place, dtype: json}
# left out: a__b, which can't be the name of a feature; a field_mapping gives it another
# left out: odd, for no type of a feature holds a interval_day_time
`)
  expect(entity).toMatchObject({name: 'driver'})
})

test('the entity of the repo that has the keys is used', () => {
  const {text, entity} = draftDefinitions(
    table({driver_id: 'bigint', at: 'date'}),
    {catalogId: '012345678901'},
    [{kind: 'entity', name: 'courier', joinKeys: [{name: 'driver_id', valueType: 'int64'}]}],
  )
  expect(entity).toBeUndefined()
  expect(text).toContain('entities: [courier] # confirm')
  expect(text).toContain("catalog_id: '012345678901'")
})

test('what a draft says is a definition, whatever the names', () => {
  const {text} = draftDefinitions(
    table({id: 'string', on: 'timestamp', 'a: b': 'int', "it's": 'int', no: 'int'}, {name: '2024-x__y.z'}),
    {roleArn: 'arn:aws:iam::123456789012:role/reader'},
    [],
  )
  const checked = parseAllDocuments(text).map((document) =>
    checkDefinition({value: document.toJS() as unknown, language: 'yaml', locate: () => ({file: 'x'})}),
  )
  expect(checked.flatMap(({problems}) => problems)).toEqual([])
  expect(checked.flatMap(({definitions}) => definitions.map(({definition}) => definition.name))).toEqual([
    'entity',
    '_2024_x_y_z',
    '_2024_x_y_z',
  ])
})
