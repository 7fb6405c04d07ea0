/** Maps in order, with so many at once. The first failure ends it: no further item is begun. */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  if (items.length <= atOnce) return Promise.all(items.map(map))
  const results = new Array<R>(items.length)
  let next = 0
  let hasFailed = false
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length && !hasFailed; at = next++) {
      try {
        results[at] = await map(items[at] as T)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const settled = await Promise.allSettled(Array.from({length: atOnce}, worker))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results
}
