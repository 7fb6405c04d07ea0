/** FNV-1a, its halves folded: an integer of 32 bits, the same in every process. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashBytes(bytes: Buffer, start = 0, end = bytes.length): number {
  let hash = 0x81_1c_9d_c5
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01_00_01_93)
  return hash ^ (hash >>> 16)
}
