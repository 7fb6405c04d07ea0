import {describe, expect, test} from 'vitest'
import type {EntityRecord} from '../../src/definitions/typed-repo.js'
import type {KeyType} from '../../src/definitions/value-type.js'
import {entityRowsFromRecords} from '../../src/retrieval/entity-rows.js'

const types = {
  keyTypes: new Map<string, KeyType>([
    ['driver_id', 'int64'],
    ['country', 'string'],
  ]),
  timestampColumn: 'event_timestamp',
}
const row = {driver_id: 1n, country: 'FI', event_timestamp: 0n}

describe('entity rows from records', () => {
  test('keep order and columns; keys have the types of their entities', () => {
    const rows = entityRowsFromRecords(
      [
        {label: true, driver_id: 1001, country: 'FI', event_timestamp: '2024-01-01', amount: 1.5, note: null},
        {label: false, driver_id: '1002', country: null, event_timestamp: new Date(1), big: 2n ** 62n},
        {
          label: null,
          driver_id: null,
          country: 'SE',
          event_timestamp: 3n,
          seen: new Date(2),
          raw: Uint8Array.of(1),
        },
      ],
      types,
    )
    expect(rows.columns.map(({name, valueType}) => `${name} ${valueType}`)).toEqual([
      'label bool',
      'driver_id int64',
      'country string',
      'event_timestamp timestamp',
      'amount float64',
      'note string',
      'big int64',
      'seen timestamp',
      'raw bytes',
    ])
    expect(rows.rows).toEqual([
      [true, 1001n, 'FI', 1_704_067_200_000_000n, 1.5, null, null, null, null],
      [false, 1002n, null, 1000n, null, null, 2n ** 62n, null, null],
      [null, null, 'SE', 3n, null, null, null, 2000n, Uint8Array.of(1)],
    ])
  })

  test.each<[string, unknown, string, RegExp]>([
    ['no list', 7, 'FS_ENTITY_ROWS_INVALID', /list of records, and this is 7/],
    ['an empty list', [], 'FS_ENTITY_ROWS_INVALID', /the list is empty/],
    ['a row that is none', [row, 5], 'FS_ENTITY_ROWS_INVALID', /entities\[1\] is 5/],
    [
      'missing columns',
      [{driver_id: 1n, other: 1}],
      'FS_ENTITY_ROWS_INVALID',
      /no column `event_timestamp` and no `country`\. Their columns: driver_id, other\./,
    ],
    [
      'columns that differ in case',
      [{...row, amount: 1, Amount: 2}],
      'FS_ENTITY_ROWS_INVALID',
      /`amount` and `Amount` of the entity rows differ only in case/,
    ],
    [
      'a row without a key',
      [row, {event_timestamp: 1n}],
      'FS_ENTITY_KEY_INVALID',
      /entities\[1\] has no `driver_id`/,
    ],
    [
      'a key of another type',
      [row, {...row, driver_id: 'abc'}],
      'FS_ENTITY_KEY_INVALID',
      /entities\[1\]: join key `driver_id` is "abc"\. Expected a value of type int64/,
    ],
    [
      'a row without a time',
      [row, {...row, event_timestamp: null}],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[1\]: `event_timestamp` is null/,
    ],
    [
      'a time as a number, whose unit nobody knows',
      [{...row, event_timestamp: 1_700_000_000}],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[0\]: `event_timestamp` is 1700000000/,
    ],
    [
      'a column of two types',
      [
        {...row, amount: 1n},
        {...row, amount: null},
        {...row, amount: 1.5},
      ],
      'FS_ENTITY_ROWS_INVALID',
      /`amount` of the entity rows is int64 in entities\[0\] and float64 in entities\[2\]/,
    ],
    [
      'a value that has no type',
      [{...row, amount: {}}],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[0\]: `amount` is an object/,
    ],
    [
      'an integer of more than 64 bits',
      [{...row, amount: 2n ** 63n}],
      'FS_ENTITY_ROWS_INVALID',
      /entities\[0\]: `amount` is 9223372036854775808n/,
    ],
  ])('refuse %s', (_, records, code, message) => {
    expect(() => entityRowsFromRecords(records as EntityRecord[], types)).toThrow(
      expect.objectContaining({code, message: expect.stringMatching(message)}),
    )
  })
})
