import type {SourceSummary} from './offline-store.js'

/** The row that `compileSourceSummary` asks for: whole numbers of any form, instants as microseconds. */
export function summaryOf(row: readonly unknown[]): SourceSummary {
  const [rows, incompleteRows, approximateKeys, newestEvent, newestCreated, createdAt] = row
  return {
    rows: Number(rows),
    incompleteRows: Number(incompleteRows),
    approximateKeys: Number(approximateKeys),
    newestEventTimestamp: instantOf(newestEvent),
    newestCreatedTimestamp: instantOf(newestCreated),
    createdAtCount: Number(createdAt),
  }
}

function instantOf(micros: unknown): bigint | null {
  return micros === null || micros === undefined ? null : BigInt(micros as bigint | string)
}
