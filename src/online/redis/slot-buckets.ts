/**
 * Keys of a project lie in 256 of the 16,384 slots of a cluster, evenly spaced, so that a batch of some thousand rows has
 * several rows of each: a command can't reach beyond a slot. More masters than that would have nothing to do.
 */
import calculateSlot from 'cluster-key-slot'

const slotCount = 16_384
const bucketCount = 256
/** Length of a tag; 36 ** 3 of them are far more than it takes to meet every bucket. */
export const tagLength = 3

/** A part of all slots, and the keys that lie in it. */
export interface SlotBucket {
  /** What stands in braces in such a key, and so decides on its slot. */
  readonly tag: Buffer
  readonly slot: number
}

let buckets: readonly SlotBucket[] | undefined

export function allBuckets(): readonly SlotBucket[] {
  return (buckets ??= makeBuckets())
}

/** That of a key whose entity has such a hash (`hashBytes`). The same in every process, for ever. */
export function bucketOf(hash: number): SlotBucket {
  return allBuckets()[hash & (bucketCount - 1)] as SlotBucket
}

/** For each bucket the first text whose slot lies in its part of all slots. */
function makeBuckets(): readonly SlotBucket[] {
  const found = new Map<number, SlotBucket>()
  for (let number = 0; found.size < bucketCount; number += 1) {
    const tag = Buffer.from(number.toString(36).padStart(tagLength, '0'))
    const slot = calculateSlot(tag)
    const bucket = Math.floor(slot / (slotCount / bucketCount))
    if (!found.has(bucket)) found.set(bucket, {tag, slot})
  }
  return Array.from({length: bucketCount}, (_, bucket) => found.get(bucket) as SlotBucket)
}
