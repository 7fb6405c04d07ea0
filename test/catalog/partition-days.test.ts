import {describe, expect, test} from 'vitest'
import {datedKeys, dayOf} from '../../src/catalog/glue/partition-days.js'

const day = (text: string): number => Date.parse(text) / 86_400_000
const january = {first: day('2024-01-05'), last: day('2024-01-09')}

test('a day is that of UTC, before 1970 too', () => {
  expect(dayOf(0n)).toBe(0)
  expect(dayOf(-1n)).toBe(-1)
  expect(dayOf(86_400_000_000n)).toBe(1)
})

describe('keys that are a time', () => {
  test.each([
    [
      [{name: 'dt', type: 'date'}],
      ['2024-01-05'],
      ['2024-01-05', '2024-01-05'],
      "dt >= '2024-01-05' AND dt <= '2024-01-09'",
    ],
    [[{name: 'ds', type: 'string'}], ['20240105'], ['2024-01-05', '2024-01-05'], undefined],
    [[{name: 'at', type: 'timestamp'}], ['2024-01-05 10:00:00'], ['2024-01-05', '2024-01-05'], undefined],
    [
      [
        {name: 'region', type: 'string'},
        {name: 'event_date', type: 'string'},
      ],
      ['eu', '2024-01-05'],
      ['2024-01-05', '2024-01-05'],
      undefined,
    ],
    [[{name: 'year', type: 'int'}], ['2024'], ['2024-01-01', '2024-12-31'], 'year >= 2024 AND year <= 2024'],
    [
      [
        {name: 'year', type: 'string'},
        {name: 'month', type: 'string'},
      ],
      ['2024', '02'],
      ['2024-02-01', '2024-02-29'],
      "year >= '2024' AND year <= '2024'",
    ],
    [
      [
        {name: 'day', type: 'int'},
        {name: 'month', type: 'int'},
        {name: 'year', type: 'int'},
        {name: 'hour', type: 'int'},
      ],
      ['5', '1', '2024', '23'],
      ['2024-01-05', '2024-01-05'],
      'year >= 2024 AND year <= 2024',
    ],
  ] as const)('%j', (keys, values, [first, last], expression) => {
    const dated = datedKeys(keys, 'event_timestamp')
    expect(dated?.daysOf(values)).toEqual({first: day(first), last: day(last)})
    expect(dated?.expression(january)).toBe(expression)
  })

  test.each([[[{name: 'region', type: 'string'}]], [[{name: 'version', type: 'int'}]], [[]]])(
    '%j are none',
    (keys) => {
      expect(datedKeys(keys, 'event_timestamp')).toBeUndefined()
    },
  )

  test('a partition whose value is no date may hold any day', () => {
    expect(
      datedKeys([{name: 'dt', type: 'string'}], 'at')?.daysOf(['__HIVE_DEFAULT_PARTITION__']),
    ).toBeUndefined()
  })

  test('without an end', () => {
    expect(datedKeys([{name: 'dt', type: 'date'}], 'at')?.expression({first: january.first})).toBe(
      "dt >= '2024-01-05'",
    )
  })
})
