import {tablePrefix} from './embedded-keys.js'
import type {Environment} from './open-environment.js'

/** Rows looked at in one transaction, which bounds memory and how long a writer waits. */
const removalChunk = 10_000

/**
 * Removes the rows of a table that `wanted` picks, some thousands in one transaction; `removed` is told in it how many.
 * Returns how many of all.
 */
export async function removeRange(
  environment: Environment,
  table: number,
  {wanted, removed}: {readonly wanted: (row: Buffer) => boolean; readonly removed?: (count: number) => void},
): Promise<number> {
  const end = tablePrefix(table + 1)
  let start: Buffer | undefined = tablePrefix(table)
  let all = 0
  while (start !== undefined) {
    const from: Buffer = start
    start = await environment.transaction(() => {
      let seen = 0
      let count = 0
      let next: Buffer | undefined
      const keys: Buffer[] = []
      for (const {key, value} of environment.getRange({start: from, end, limit: removalChunk})) {
        seen += 1
        if (wanted(value)) keys.push(Buffer.from(key))
        next = Buffer.concat([key, Buffer.from([0])])
      }
      for (const key of keys) if (environment.removeSync(key)) count += 1
      removed?.(count)
      all += count
      return seen < removalChunk ? undefined : next
    })
  }
  return all
}
