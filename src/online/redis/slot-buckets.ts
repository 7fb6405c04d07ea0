/**
 * Keys of a project lie in 256 of the 16,384 slots of a cluster, evenly spaced, so that a batch of some thousand rows has
 * several rows of each: a command can't reach beyond a slot. More masters than that would have nothing to do.
 */
import calculateSlot from 'cluster-key-slot'
import {hashBytes} from './hash-bytes.js'

const slotCount = 16_384
const bucketCount = 256
/** Length of a tag; 36 ** 3 of them are far more than it takes to meet every bucket. */
export const tagLength = 3

let tags: readonly Buffer[] | undefined

/** What stands in braces in a key of these bytes, and so decides on its slot. The same in every process, for ever. */
export function slotTag(bytes: Buffer, start: number, end: number): Buffer {
  tags ??= makeTags()
  return tags[hashBytes(bytes, start, end) & (bucketCount - 1)] as Buffer
}

/** For each bucket the first text whose slot lies in its part of all slots. */
function makeTags(): readonly Buffer[] {
  const found = new Map<number, Buffer>()
  for (let number = 0; found.size < bucketCount; number += 1) {
    const tag = Buffer.from(number.toString(36).padStart(tagLength, '0'))
    const bucket = Math.floor(calculateSlot(tag) / (slotCount / bucketCount))
    if (!found.has(bucket)) found.set(bucket, tag)
  }
  return Array.from({length: bucketCount}, (_, bucket) => found.get(bucket) as Buffer)
}
