import calculateSlot from 'cluster-key-slot'
import {expect, test} from 'vitest'
import {hashBytes} from '../../../src/online/redis/hash-bytes.js'
import {bucketOf} from '../../../src/online/redis/slot-buckets.js'

const tagOf = (text: string): string => {
  const bytes = Buffer.from(`before ${text} behind`)
  const {tag, slot} = bucketOf(hashBytes(bytes, 7, 7 + Buffer.byteLength(text)))
  expect(slot).toBe(calculateSlot(tag))
  return tag.toString()
}

test('tags stay what they are: rows that lie in a store are found by them', () => {
  expect(['', 'driver', 'é', '{}'].map(tagOf)).toMatchInlineSnapshot(`
    [
      "000",
      "04u",
      "06i",
      "020",
    ]
  `)
})

test('keys are spread evenly over 256 slots, and these over all slots', () => {
  const counts = new Map<string, number>()
  for (let key = 0; key < 256_000; key += 1) {
    const tag = tagOf(String(key))
    counts.set(tag, (counts.get(tag) ?? 0) + 1)
  }
  expect(new Set([...counts.keys()].map((tag) => calculateSlot(tag) >> 6)).size).toBe(256)
  expect(Math.min(...counts.values())).toBeGreaterThan(800)
  expect(Math.max(...counts.values())).toBeLessThan(1200)
})
