import fc from 'fast-check'
import {expect, test} from 'vitest'
import {valueAt, type Column} from '../../src/definitions/column-batch.js'
import type {Value, ValueType} from '../../src/definitions/value-type.js'
import {pickRows} from '../../src/materialize/pick-rows.js'
import {plainValue} from '../../src/definitions/plain-value.js'
import {columnOf} from '../conformance/online-store.js'
import type {OnlineRows} from '../../src/online/online-store.js'

const values: Partial<Record<ValueType, readonly [Value, Value]>> = {
  bool: [true, false],
  int32: [7, -1],
  date: ['2024-02-29', '1969-12-31'],
  int64: [9_007_199_254_740_993n, -1n],
  timestamp: [0n, 1_704_067_200_000_001n],
  float32: [0.5, -2],
  float64: [0.1, Infinity],
  string: ['a', "it's"],
  json: ['{}', '[1]'],
  'decimal(4,2)': ['1.50', '-0.01'],
  bytes: [new Uint8Array([1, 2]), new Uint8Array()],
  'list<int64>': [[1n, null], []],
}

test('picking keeps each value of the rows wanted, in their order, whatever its type', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.entries(values) as [ValueType, readonly [Value, Value]][])),
      fc.array(fc.constantFrom(0, 1, null), {minLength: 1, maxLength: 8}),
      fc.infiniteStream(fc.nat()),
      fc.nat({max: 8}),
      ([type, two], slots, stream, count) => {
        const column = columnOf(
          type,
          slots.map<Value | null>((slot) => (slot === null ? null : two[slot])),
        )
        const times = columnOf(
          'timestamp',
          slots.map((_, row) => BigInt(row)),
        ) as OnlineRows['eventTimestamps']
        const wanted = [...stream.take(count)].map((row) => row % slots.length)
        const rows = {
          rowCount: slots.length,
          keys: [times],
          eventTimestamps: times,
          createdTimestamps: times,
          features: [column],
        }
        const picked = pickRows(rows, wanted)
        const [feature] = picked.features as [Column]
        expect(picked.rowCount).toBe(count)
        expect([...picked.eventTimestamps.values]).toEqual(wanted.map(BigInt))
        expect(wanted.map((_, index) => valueAt(feature, index))).toEqual(
          wanted.map((row) => valueAt(column, row)),
        )
      },
    ),
  )
})

test.each<[ValueType, Value, unknown]>([
  ['int64', 9_007_199_254_740_993n, 9_007_199_254_740_993n],
  ['timestamp', 1_704_067_200_000_001n, '2024-01-01T00:00:00.000001Z'],
  ['timestamp', 2n ** 63n - 1n, 'infinity'],
  ['list<timestamp>', [0n, null], ['1970-01-01T00:00:00Z', null]],
  ['float64', NaN, 'NaN'],
  ['bytes', new Uint8Array([255]), '/w=='],
  ['date', '2024-02-29', '2024-02-29'],
])('%s %s is shown as JSON can hold it', (type, value, plain) => {
  expect(plainValue(valueAt(columnOf(type, [value]), 0), type)).toEqual(plain)
})
