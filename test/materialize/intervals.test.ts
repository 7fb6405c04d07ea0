import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import type {Interval} from '../../src/definitions/interval.js'
import {clipIntervals, isEmpty, mergeIntervals, subtractIntervals} from '../../src/materialize/intervals.js'

/** Small instants, so that intervals touch and overlap often. */
const last = 12
const instants = Array.from({length: last + 2}, (_, index) => BigInt(index) - 1n)

const anyInterval: fc.Arbitrary<Interval> = fc.record({
  start: fc.oneof(
    fc.constant(null),
    fc.integer({min: 0, max: last}).map((at) => BigInt(at)),
  ),
  end: fc.integer({min: 0, max: last}).map((at) => BigInt(at)),
})

/** The meaning of (start, end], instant by instant. The instant -1 stands for all before the first. */
function instantsOf(intervals: readonly Interval[]): readonly bigint[] {
  return instants.filter((at) =>
    intervals.some(
      ({start, end}) => (start === null || at > start) && at <= end && !(start !== null && start >= end),
    ),
  )
}

describe('sets of intervals', () => {
  test('merging keeps the instants, sorted and apart from each other', () => {
    fc.assert(
      fc.property(fc.array(anyInterval, {maxLength: 6}), (intervals) => {
        const merged = mergeIntervals(intervals)
        expect(instantsOf(merged)).toEqual(instantsOf(intervals))
        for (const [index, one] of merged.entries()) {
          expect(isEmpty(one)).toBe(false)
          const next = merged[index + 1]
          if (next !== undefined) expect(next.start !== null && next.start > one.end).toBe(true)
        }
        expect(mergeIntervals(merged)).toEqual(merged)
        expect(mergeIntervals([...intervals].reverse())).toEqual(merged)
      }),
    )
  })

  test('subtracting leaves what is wanted and not covered, as few intervals', () => {
    fc.assert(
      fc.property(anyInterval, fc.array(anyInterval, {maxLength: 6}), (wanted, covered) => {
        const missing = subtractIntervals(wanted, covered)
        const held = new Set(instantsOf(covered))
        expect(instantsOf(missing)).toEqual(instantsOf([wanted]).filter((at) => !held.has(at)))
        expect(mergeIntervals(missing)).toEqual(missing)
      }),
    )
  })

  test('what is covered and what is missing make up the whole', () => {
    fc.assert(
      fc.property(anyInterval, fc.array(anyInterval, {maxLength: 6}), (wanted, covered) => {
        const all = mergeIntervals([...covered, ...subtractIntervals(wanted, covered)])
        expect(all).toEqual(mergeIntervals([...covered, wanted]))
      }),
    )
  })

  test('clipping keeps the instants after the start', () => {
    fc.assert(
      fc.property(
        fc.array(anyInterval, {maxLength: 6}),
        fc.integer({min: 0, max: last}),
        (intervals, start) => {
          const clipped = clipIntervals(intervals, BigInt(start))
          expect(instantsOf(clipped)).toEqual(instantsOf(intervals).filter((at) => at > BigInt(start)))
          expect(mergeIntervals(clipped)).toEqual(clipped)
        },
      ),
    )
  })

  test('intervals that touch become one', () => {
    expect(
      mergeIntervals([
        {start: 5n, end: 9n},
        {start: null, end: 5n},
        {start: 10n, end: 11n},
      ]),
    ).toEqual([
      {start: null, end: 9n},
      {start: 10n, end: 11n},
    ])
  })
})
