/** Keys of the environment: a table's number (big-endian), then the entity's key. Table number 0 is the store's own. */
import type {GrowingBytes} from '../growing-bytes.js'

const tableIdBytes = 4

export const catalogKey = Buffer.from([0, 0, 0, 0, 0])
export const runsKey = Buffer.from([0, 0, 0, 0, 1])
export const identityKey = Buffer.from([0, 0, 0, 0, 2])

/** Where the number of a table's last load is kept. */
export function loadKey(table: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 3]), Buffer.from(table)])
}

/** Begins a row's key. */
export function startKey(key: GrowingBytes, table: number): void {
  key.bytes.writeUInt32BE(table, 0)
  key.length = tableIdBytes
}

/** What the keys of a table's rows begin with. */
export function tablePrefix(id: number): Buffer {
  const prefix = Buffer.alloc(tableIdBytes)
  prefix.writeUInt32BE(id)
  return prefix
}

/** Where the number of a table's rows is kept. */
export function countKey(id: number): Buffer {
  return Buffer.concat([catalogKey.subarray(0, tableIdBytes), Buffer.from([1]), tablePrefix(id)])
}
