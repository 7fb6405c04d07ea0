/** What is new, changed, back in time and gone in a source that is the whole truth. */
import {join} from 'node:path'
import {expect} from 'vitest'
import type {FeatureRows} from '../../../src/compile/query.js'
import {valueAt} from '../../../src/definitions/column-batch.js'
import type {Value} from '../../../src/definitions/value-type.js'
import type {RemovedBatch} from '../../../src/offline/offline-store.js'
import {columnsOf, featureRows, latestQuery, newestRowsOf} from '../../support/frames.js'
import type {Row} from '../../support/oracle.js'
import type {OfflineStoreFixture, OfflineSuite} from './fixture.js'

const keys = {city: 'string', driver: 'int64'} as const
const features = {trips: 'int64', note: 'string'} as const
const time = 1_704_110_400_000_000n

/** Keys (city, driver), both times, and features. */
const first: readonly Row[] = [
  ['a', 1n, time, time, 1n, 'same'],
  ['a', 2n, time, time, 2n, 'value changes'],
  ["it's", 1n, time, time, 3n, 'goes'],
  ['b', 1n, time, time, 4n, 'back in event time'],
  ['b', 2n, time, time, 5n, 'back in created time'],
  ['b', 3n, time, time, 6n, 'becomes newer'],
]
const second: readonly Row[] = [
  ['a', 1n, time, time, 1n, 'same'],
  ['a', 2n, time, time, 2n, 'value changed'],
  ['b', 1n, time - 1n, time, 40n, 'was back in event time'],
  ['b', 2n, time, null, 50n, 'was back in created time'],
  ['b', 3n, time + 1n, null, 60n, 'became newer'],
  ['c', 1n, time, time, 7n, 'new'],
]

export function describeSnapshots({contract}: OfflineSuite): void {
  contract(
    'of a sync that did not end: what it may have written counts as neither there nor not',
    async (fixture) => {
      const verified = (await compare(fixture, await source(fixture, 'one', first), {})).state
      const begun = (await compare(fixture, await source(fixture, 'two', second), {previous: verified})).state
      // Back to the first: all rows that it had otherwise, and what only it had, go.
      const back = await compare(fixture, await source(fixture, 'back', first), {
        previous: verified,
        begun: [begun],
      })
      expect(back.counts).toEqual({changed: 5, gone: 1, all: 6})
      expect(back.wentBack).toEqual([
        {
          now: {key: ['b', 3n], event: time, created: time, values: [6n, 'becomes newer']},
          before: ['b', 3n, time + 1n, null],
        },
      ])
      expect(back.gone).toEqual([['c', 1n, time, time]])
      // The first of all: nothing of it is sure.
      const again = await compare(fixture, await source(fixture, 'again', first), {begun: [verified]})
      expect(again.counts).toEqual({changed: 6, gone: 0, all: 6})
    },
  )

  contract(
    'of two states of a source: what is new or changed, what went back in time, what is gone',
    async (fixture) => {
      const before = await compare(fixture, await source(fixture, 'one', first), {})
      expect(before.counts).toEqual({changed: 6, gone: 0, all: 6})
      expect(before.changed).toHaveLength(6)
      expect([before.wentBack, before.gone]).toEqual([[], []])

      const after = await compare(fixture, await source(fixture, 'two', second), {previous: before.state})
      expect(after.counts).toEqual({changed: 5, gone: 1, all: 6})
      expect(after.changed).toEqual([
        {key: ['a', 2n], event: time, created: time, values: [2n, 'value changed']},
        {key: ['b', 3n], event: time + 1n, created: null, values: [60n, 'became newer']},
        {key: ['c', 1n], event: time, created: time, values: [7n, 'new']},
      ])
      expect(after.wentBack).toEqual([
        {
          now: {key: ['b', 1n], event: time - 1n, created: time, values: [40n, 'was back in event time']},
          before: ['b', 1n, time, time],
        },
        {
          now: {key: ['b', 2n], event: time, created: null, values: [50n, 'was back in created time']},
          before: ['b', 2n, time, time],
        },
      ])
      expect(after.gone).toEqual([["it's", 1n, time, time]])

      const again = await compare(fixture, await source(fixture, 'three', second), {previous: after.state})
      expect(again.counts).toEqual({changed: 0, gone: 0, all: 6})
    },
  )

  contract('what was not written comes again, by a key of any type', async (fixture) => {
    const types = ['string', 'int64', 'int32', 'bool', 'bytes', 'date', 'timestamp'] as const
    const one: readonly Value[] = ["it's", 7n, 7, true, Uint8Array.of(0, 255), '2026-01-02', time]
    const other: readonly Value[] = ['b', 8n, 8, false, Uint8Array.of(1), '2026-01-03', time + 1n]
    for (const [index, type] of types.entries()) {
      const rows = featureRows(
        await fixture.writeSource(
          type,
          columnsOf({k: type, event_timestamp: 'timestamp', n: 'int64'}),
          [one, other].map((values) => [values[index] as Value, time, 1n]),
          'event_timestamp',
        ),
        {k: type},
        {n: 'int64'},
      )
      const {state} = await compare(fixture, rows, {notWritten: [[one[index] as Value]]})
      const {changed} = await compare(fixture, rows, {previous: state})
      expect(changed).toMatchObject([{key: [one[index]]}])
    }
  })

  contract('what was not written is as it was before, and comes again', async (fixture) => {
    const notWritten = [["it's", 1n]]
    const before = await compare(fixture, await source(fixture, 'none', first), {notWritten})
    const once = await source(fixture, 'once', first)
    const after = await compare(fixture, once, {previous: before.state, notWritten: [['a', 1n]]})
    expect(after.changed).toEqual([{key: ["it's", 1n], event: time, created: time, values: [3n, 'goes']}])
    const last = await compare(fixture, await source(fixture, 'twice', first), {previous: after.state})
    expect(last.counts).toEqual({changed: 0, gone: 0, all: 6})
  })
}

async function source(
  fixture: OfflineStoreFixture,
  name: string,
  rows: readonly Row[],
): Promise<FeatureRows> {
  const columns = columnsOf({
    ...keys,
    event_timestamp: 'timestamp',
    created: 'timestamp',
    ...features,
  } as const)
  return featureRows(
    await fixture.writeSource(name, columns, rows, 'event_timestamp', 'created'),
    keys,
    features,
  )
}

export async function compare(
  {store, directory}: OfflineStoreFixture,
  rows: FeatureRows,
  {
    previous,
    begun = [],
    notWritten = [],
  }: {
    readonly previous?: string
    readonly begun?: readonly string[]
    readonly notWritten?: readonly (readonly Value[])[]
  },
): Promise<{
  readonly counts: unknown
  readonly changed: readonly unknown[]
  readonly wentBack: readonly unknown[]
  readonly gone: readonly Row[]
  readonly state: string
}> {
  await using changes = await store.compareSnapshot(latestQuery(rows), {
    previous: {verified: previous, begun},
  })
  const changed: unknown[] = []
  for await (const batch of changes.changed()) changed.push(...newestRowsOf(batch))
  const wentBack: {now: unknown; before: Row}[] = []
  for await (const {now, before} of changes.wentBack()) {
    const removed = removedRowsOf(before)
    wentBack.push(...newestRowsOf(now).map((row, index) => ({now: row, before: removed[index] as Row})))
  }
  wentBack.sort((one, other) => String(one.before[1]).localeCompare(String(other.before[1])))
  const gone: Row[] = []
  for await (const batch of changes.gone()) gone.push(...removedRowsOf(batch))
  const state = join(directory, 'states', `${rows.view}.parquet`)
  await changes.save(state, notWritten)
  return {counts: changes.counts, changed, wentBack, gone, state}
}

function removedRowsOf({
  rowCount,
  keys: columns,
  eventTimestamps,
  createdTimestamps,
}: RemovedBatch): readonly Row[] {
  const all = [...columns, eventTimestamps, createdTimestamps]
  return Array.from({length: rowCount}, (_, row) => all.map((column) => valueAt(column, row)))
}
