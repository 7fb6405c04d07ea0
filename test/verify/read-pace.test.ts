import {describe, expect, test} from 'vitest'
import {ReadPace} from '../../src/verify/read-pace.js'

const second = 1_000_000n

/** When each of `batches` reads begins, on a clock that moves only while it waits. */
function starts(pace: ReadPace, batches: number, from = 0n): bigint[] {
  let now = from
  return Array.from({length: batches}, () => (now += pace.delayBefore(pace.batchSize, now)))
}

describe('the pace of reads', () => {
  test.each([1, 7, 100, 999, 5000, 250_000])('is never above %i keys in a second', (rate) => {
    const pace = new ReadPace(rate)
    const times = starts(pace, 2000)
    for (const start of times) {
      const within = times.filter((time) => time >= start && time < start + second)
      expect(within.length * pace.batchSize).toBeLessThanOrEqual(rate + pace.batchSize)
    }
  })

  test('is even: a hundred batches or more in a second, or a key at a time', () => {
    expect(new ReadPace(5000).batchSize).toBe(50)
    expect(new ReadPace(1_000_000).batchSize).toBe(100)
    expect(new ReadPace(3).batchSize).toBe(1)
    expect(starts(new ReadPace(4), 3)).toEqual([0n, second / 4n, second / 2n])
  })

  test('does not make up for time in which nothing was read', () => {
    const pace = new ReadPace(10)
    expect(pace.delayBefore(1, 0n)).toBe(0n)
    expect(pace.delayBefore(1, 100n * second)).toBe(0n)
    expect(pace.delayBefore(1, 100n * second)).toBe(second / 10n)
  })

  test('survives a clock that is put back', () => {
    const pace = new ReadPace(10)
    pace.delayBefore(1, 5000n * second)
    expect(pace.delayBefore(1, 0n)).toBeLessThanOrEqual(second)
    expect(pace.delayBefore(1, second)).toBeLessThanOrEqual(second)
  })
})
