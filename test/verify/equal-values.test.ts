import {expect, test} from 'vitest'
import {equalValues} from '../../src/verify/equal-values.js'

test.each([
  [null, null],
  [NaN, NaN],
  [2n ** 63n - 1n, 2n ** 63n - 1n],
  ['1.50', '1.50'],
  [Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
  [[], []],
  [
    [1, null, NaN],
    [1, null, NaN],
  ],
  [[Uint8Array.of(1)], [Uint8Array.of(1)]],
])('%s is %s', (a, b) => expect(equalValues(a, b)).toBe(true))

test.each([
  [null, 0],
  [null, ''],
  [0, -0],
  [1, 1n],
  [2n ** 53n, 2n ** 53n + 1n],
  ['1.5', '1.50'],
  [Uint8Array.of(1), Uint8Array.of(1, 0)],
  [Uint8Array.of(1), [1]],
  [[1], [1, 1]],
  [[1, null], [1]],
  [[null], [0]],
  [[], null],
  [[0], [-0]],
])('%s is not %s, either way', (a, b) => {
  expect(equalValues(a, b)).toBe(false)
  expect(equalValues(b, a)).toBe(false)
})
