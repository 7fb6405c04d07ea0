/** 0 to `count` - 1, in random order (Fisher-Yates). */
export function shuffledIndexes(count: number): Uint32Array {
  const indexes = Uint32Array.from({length: count}, (_, index) => index)
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    const index = indexes[last] as number
    indexes[last] = indexes[other] as number
    indexes[other] = index
  }
  return indexes
}
