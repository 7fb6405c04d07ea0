import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {formatDay, parseDay} from '../../src/definitions/day.js'
import {formatDuration, parseDuration} from '../../src/definitions/duration.js'
import {formatInstant, parseInstant} from '../../src/definitions/instant.js'

/** The years that four digits can write: 0000-01-01 to 9999-12-31. */
const firstDay = -719_528
const lastDay = 2_932_896

describe('a day', () => {
  test('is written as JavaScript writes it, wherever that can', () => {
    fc.assert(
      fc.property(fc.integer({min: -100_000_000, max: 100_000_000}), (day) => {
        expect(formatDay(day)).toBe(new Date(day * 86_400_000).toISOString().slice(0, -14))
      }),
    )
  })

  test('is read back, all that an engine can hold', () => {
    fc.assert(
      fc.property(fc.integer({min: -300_000_000, max: 2_147_483_647}), (day) => {
        // Six digits of years end before what 32 bits of days can hold.
        if (Math.abs(day) > 360_000_000 && Math.abs(day) !== 2_147_483_647) return
        expect(parseDay(formatDay(day))).toBe(day)
      }),
    )
    expect([formatDay(firstDay), formatDay(lastDay)]).toEqual(['0000-01-01', '9999-12-31'])
    expect([parseDay('infinity'), parseDay('-infinity')].map((day) => formatDay(day ?? 0))).toEqual([
      'infinity',
      '-infinity',
    ])
  })

  test.each(['2023-02-29', '2024-13-01', '2024-1-1', '2024-00-10', '24-01-01', '2024-01-01T00:00:00Z', ''])(
    '%j is none',
    (text) => expect(parseDay(text)).toBeUndefined(),
  )
})

describe('an instant', () => {
  test('is read back to the microsecond', () => {
    fc.assert(
      fc.property(
        fc.bigInt({min: BigInt(firstDay) * 86_400_000_000n, max: BigInt(lastDay + 1) * 86_400_000_000n - 1n}),
        (instant) => {
          // Date.UTC does not take the years before 100 for what they are, and those are refused.
          fc.pre(instant >= BigInt(firstDay + 36_524) * 86_400_000_000n)
          expect(parseInstant(formatInstant(instant))).toBe(instant)
        },
      ),
    )
  })

  test('has text also where it is beyond every calendar', () => {
    expect([2n ** 63n - 1n, -(2n ** 63n) + 1n].map(formatInstant)).toEqual(['infinity', '-infinity'])
    expect(formatInstant(9_223_372_036_854_775_806n)).toBe('+294247-01-10T04:00:54.775806Z')
    expect(formatInstant(-1n)).toBe('1969-12-31T23:59:59.999999Z')
  })

  test.each([
    ['2024-05-01', '2024-05-01T00:00:00Z'],
    ['2024-05-01 12:30', '2024-05-01T12:30:00Z'],
    ['2024-05-01T12:30:00.5+02:00', '2024-05-01T10:30:00.500000Z'],
    ['2024-05-01t12:30:00z', '2024-05-01T12:30:00Z'],
    ['2024-05-01T00:00:00-0330', '2024-05-01T03:30:00Z'],
  ])('%s is %s', (text, expected) => expect(formatInstant(parseInstant(text) ?? 0n)).toBe(expected))

  test.each([
    '2024-02-30',
    '2024-05-01T24:00',
    '2024-05-01T12:60',
    '12:30',
    '2024-05-01T12:30:00.1234567',
    'now',
  ])('%j is none', (text) => expect(parseInstant(text)).toBeUndefined())
})

describe('a duration', () => {
  test('is read back', () => {
    fc.assert(
      fc.property(fc.bigInt({min: 0n, max: 3_652_425n * 86_400_000_000n}), (duration) => {
        expect(parseDuration(formatDuration(duration))).toBe(duration)
      }),
    )
  })

  test.each([
    ['2w', '14d'],
    ['90m', '90m'],
    [' 36 h ', '36h'],
    ['0', '0s'],
    ['1500ms', '1500ms'],
    ['86400s', '1d'],
  ])('%j is %s', (text, expected) => expect(formatDuration(parseDuration(text) ?? -1n)).toBe(expected))

  test.each(['1', '1.5h', '-1h', '1y', 'h', '1h30m', '99999999w', ''])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  )
})
