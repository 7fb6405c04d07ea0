/** Entity rows that the store itself finds, by SQL and by interval, and answers that have no rows. */
import {expect} from 'vitest'
import type {EntityRows} from '../../../src/compile/query.js'
import type {DataSource} from '../../../src/definitions/definition.js'
import {
  columnsOf,
  entityValues,
  featureRows,
  frameQuery,
  latestQuery,
  readFrame,
  readNewest,
  viewJoin,
} from '../../support/frames.js'
import {compare} from './snapshots.js'
import type {OfflineStoreFixture, OfflineSuite} from './fixture.js'

const time = 1_704_110_400_000_000n
const end = 253_402_300_799_999_999n

const drivers = (fixture: OfflineStoreFixture, name = 'drivers') =>
  fixture.writeSource(
    name,
    columnsOf({driver_id: 'int64', happened: 'timestamp', note: 'string'}),
    [
      [1n, time, 'a1 \\d'],
      [1n, time + 5n, 'b22'],
      [2n, time + 5n, null],
    ],
    'happened',
  )
const cities = (fixture: OfflineStoreFixture) =>
  fixture.writeSource(
    'cities',
    columnsOf({city: 'string', happened: 'timestamp', trips: 'int64'}),
    [
      ["it's \\", time + 2n, 7n],
      ['b', time + 9n, 8n],
    ],
    'happened',
  )
const driverRows = (source: DataSource) => featureRows(source, {driver_id: 'int64'}, {note: 'string'})
const cityRows = (source: DataSource) => featureRows(source, {city: 'string'}, {trips: 'int64'})

const interval = (from: bigint | null, to: bigint): EntityRows => ({
  kind: 'interval',
  interval: {start: from, end: to},
})
const selected = (source: DataSource, sql: string): EntityRows => ({
  kind: 'sql',
  sql,
  inputs: {[source.name]: {source, inputs: {}}},
})

export function describeEntityRows({contract}: OfflineSuite): void {
  contract(
    'an interval of views with other keys than each other has every key and time once',
    async (fixture) => {
      const city = cityRows(await cities(fixture))
      const joins = [
        viewJoin(city),
        viewJoin(city, {alias: 'again', outputs: [{feature: 'trips', as: 'again'}]}),
        viewJoin(driverRows(await drivers(fixture))),
      ]
      const {rows} = await readFrame(fixture.store, frameQuery(interval(null, end), joins))
      expect(rows).toEqual([
        [null, 1n, time, null, null, 'a1 \\d'],
        ["it's \\", null, time + 2n, 7n, 7n, null],
        [null, 1n, time + 5n, null, null, 'b22'],
        [null, 2n, time + 5n, null, null, null],
        ['b', null, time + 9n, 8n, 8n, null],
      ])
    },
  )

  contract('SQL selects entity rows, with backslashes and quotes as it says', async (fixture) => {
    const source = await drivers(fixture)
    // A backslash is itself in DuckDB's texts; in those of Redshift it escapes.
    const [column] = await fixture.store.describeSource({source, inputs: {}})
    const digits = column?.nativeType === 'int8' ? String.raw`'[\\d]+'` : String.raw`'[\d]+'`
    const sql = `SELECT driver_id, happened AS event_timestamp, 'it''s' AS said FROM drivers WHERE regexp_replace(note, ${digits}, '') <> note ORDER BY happened`
    const {rows} = await readFrame(
      fixture.store,
      frameQuery(selected(source, sql), [viewJoin(driverRows(source))]),
    )
    expect(rows).toEqual([
      [1n, time, "it's", 'a1 \\d'],
      [1n, time + 5n, "it's", 'b22'],
    ])
  })

  contract('no entity rows make a frame of no rows, with its columns', async (fixture) => {
    const source = await drivers(fixture)
    const joins = [viewJoin(driverRows(source))]
    const none = 'SELECT driver_id, happened AS event_timestamp FROM drivers WHERE driver_id < 0'
    for (const entityRows of [
      interval(time + 100n, end),
      selected(source, none),
      entityValues({driver_id: 'int64', event_timestamp: 'timestamp'}, []),
    ]) {
      const {columns, rows} = await readFrame(fixture.store, frameQuery(entityRows, joins))
      expect(columns, entityRows.kind).toMatchObject([
        {name: 'driver_id', valueType: 'int64'},
        {name: 'event_timestamp', valueType: 'timestamp'},
        {name: 'note', valueType: 'string'},
      ])
      expect(rows).toEqual([])
    }
  })

  contract('a source without rows has no newest ones, in either order', async (fixture) => {
    const rows = driverRows(
      await fixture.writeSource(
        'nothing',
        columnsOf({driver_id: 'int64', happened: 'timestamp', note: 'string'}),
        [],
        'happened',
      ),
    )
    for (const order of ['key', 'any'] as const)
      expect((await readNewest(fixture.store, latestQuery(rows, {order}))).rows).toEqual([])
    for await (const batch of fixture.store.readIncompleteRows(latestQuery(rows)))
      expect(batch.rowCount).toBe(0)
  })

  contract('all is gone from a source that was emptied', async (fixture) => {
    const before = await compare(fixture, driverRows(await drivers(fixture, 'full')), {})
    const empty = await fixture.writeSource(
      'emptied',
      columnsOf({driver_id: 'int64', happened: 'timestamp', note: 'string'}),
      [],
      'happened',
    )
    const after = await compare(fixture, {...driverRows(empty), view: 'full'}, {previous: before.state})
    expect(after.counts).toEqual({changed: 0, gone: 2, all: 0})
  })
}
