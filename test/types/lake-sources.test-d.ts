import {expectTypeOf, test} from 'vitest'
import {deltaSource, featureView, glueSource, icebergSource} from '../../src/definitions/builders.js'

const common = {name: 'stats', timestampField: 'event_timestamp'} as const

test('tables of a lake are sources of views', () => {
  const delta = deltaSource({...common, path: 'lake/stats', version: 3})
  expectTypeOf(delta.type).toEqualTypeOf<'delta'>()
  expectTypeOf(delta.version).toEqualTypeOf<3>()
  const glue = glueSource({...common, database: 'lake', table: 'stats'})
  expectTypeOf(
    featureView({name: 'rates', entities: ['driver'], source: glue}).source.name,
  ).toEqualTypeOf<'stats'>()
})

test('the id of a snapshot is text, for a number would be rounded', () => {
  expectTypeOf(
    icebergSource({...common, path: 'lake/stats', snapshotId: '9029287801649467144'}).type,
  ).toEqualTypeOf<'iceberg'>()
  // @ts-expect-error -- a number
  icebergSource({...common, path: 'lake/stats', snapshotId: 7})
  // @ts-expect-error -- no table
  glueSource({...common, database: 'lake'})
})
