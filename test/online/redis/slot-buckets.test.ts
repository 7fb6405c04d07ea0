import calculateSlot from 'cluster-key-slot'
import {expect, test} from 'vitest'
import {hashBytes} from '../../../src/online/redis/hash-bytes.js'
import {bucketOf, type SlotBucket} from '../../../src/online/redis/slot-buckets.js'

const bucketOfText = (text: string): SlotBucket => {
  const bytes = Buffer.from(`before ${text} behind`)
  return bucketOf(hashBytes(bytes, 7, 7 + Buffer.byteLength(text)))
}

test('tags stay what they are: rows that lie in a store are found by them', () => {
  expect(['', 'driver', 'é', '{}'].map((text) => bucketOfText(text).tag.toString())).toMatchInlineSnapshot(`
    [
      "000",
      "04u",
      "06i",
      "020",
    ]
  `)
})

test('keys are spread evenly over 256 slots, and these over all slots', () => {
  const counts = new Map<SlotBucket, number>()
  for (let key = 0; key < 256_000; key += 1) {
    const bucket = bucketOfText(String(key))
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  const buckets = [...counts.keys()]
  expect(new Set(buckets.map(({slot}) => slot >> 6)).size).toBe(256)
  expect(buckets.map(({slot}) => slot)).toStrictEqual(buckets.map(({tag}) => calculateSlot(tag)))
  expect(Math.min(...counts.values())).toBeGreaterThan(800)
  expect(Math.max(...counts.values())).toBeLessThan(1200)
})
