import {describe, expect, test} from 'vitest'
import type {KeyType, Value} from '../../src/definitions/value-type.js'
import {readKeyValue, showGiven} from '../../src/retrieval/key-value.js'

describe('a key', () => {
  test.each<[KeyType, unknown, Value]>([
    ['int64', 1001n, 1001n],
    ['int64', 1001, 1001n],
    ['int64', '1001', 1001n],
    ['int64', '+7', 7n],
    ['int64', '-9223372036854775808', -(2n ** 63n)],
    ['int64', 9_007_199_254_740_993n, 9_007_199_254_740_993n],
    ['int32', 5, 5],
    ['int32', 5n, 5],
    ['int32', '-2147483648', -2_147_483_648],
    ['int32', -0, 0],
    ['string', '1001', '1001'],
    ['string', '', ''],
    ['bool', true, true],
    ['bool', 'false', false],
    ['date', '2024-02-29', '2024-02-29'],
    ['timestamp', '1970-01-01T00:00:00.000001Z', 1n],
    ['timestamp', '1970-01-01T01:00:00+01:00', 0n],
    ['timestamp', new Date(5), 5000n],
    ['timestamp', -1n, -1n],
    ['bytes', 'AP8=', Uint8Array.of(0, 255)],
    ['bytes', Uint8Array.of(7), Uint8Array.of(7)],
  ])('of type %s reads %o', (type, given, expected) => {
    const read = readKeyValue(given, type)
    expect(read).toEqual(expected)
    expect(Object.is(read, -0)).toBe(false)
  })

  test.each<[KeyType, unknown]>([
    ['int64', 1.5],
    ['int64', 2 ** 53],
    ['int64', 2n ** 63n],
    ['int64', '9223372036854775808'],
    ['int64', '1001.0'],
    ['int64', ' 1'],
    ['int64', ''],
    ['int64', '0x10'],
    ['int64', true],
    ['int64', null],
    ['int64', undefined],
    ['int64', [1]],
    ['int32', 2_147_483_648],
    ['int32', Number.NaN],
    ['string', 1001],
    ['string', null],
    ['bool', 'True'],
    ['bool', 1],
    ['date', '2023-02-29'],
    ['date', '2024-02-29T00:00:00Z'],
    ['timestamp', 1_700_000_000],
    ['timestamp', 'yesterday'],
    ['timestamp', new Date(Number.NaN)],
    ['bytes', 'no base64!'],
    ['bytes', 'AP8'],
  ])('of type %s does not take %o', (type, given) => {
    expect(readKeyValue(given, type)).toBeUndefined()
  })
})

test('what was given is shown as it was, in one line', () => {
  expect([null, 'a', 7n, 7, undefined, new Date(0), [1], {}].map(showGiven)).toEqual([
    'null',
    '"a"',
    '7n',
    '7',
    'undefined',
    'a Date',
    'a list',
    'an object',
  ])
  expect(showGiven('x'.repeat(1000)).length).toBeLessThan(70)
})
