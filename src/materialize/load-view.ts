/** Moves the newest rows of one view from its source to the online store, a batch at a time. */
import type {LatestPerEntityQuery} from '../compile/query.js'
import {valueAt, type Column} from '../definitions/column-batch.js'
import {plainValue} from '../definitions/plain-value.js'
import type {LatestBatch, OfflineStore} from '../offline/offline-store.js'
import type {OnlineRows, OnlineStore, OnlineTable, RowLife, WriteResult} from '../online/online-store.js'
import {AcknowledgedPosition, type AcknowledgedBatch} from './acknowledged-position.js'
import {formatPosition} from './load-position.js'
import {pickRows} from './pick-rows.js'
import type {Reject, RejectsFile} from './rejects-file.js'
import type {StoreWriter} from './store-writer.js'
import type {ViewTally} from './view-tally.js'

/** Batches that are being written while the next one is read: enough to overlap, and it bounds memory. */
const writesInFlight = 2

export interface ViewLoad {
  readonly batches: AsyncIterable<LatestBatch>
  /** Whether batches go through the keys in their order. */
  readonly isInKeyOrder: boolean
  readonly table: OnlineTable
  readonly online: OnlineStore
  readonly writer: StoreWriter
  /** Of rows that grow too old to be read. */
  readonly life?: RowLife | undefined
  /** What was written is counted here, batch by batch; rows that can't be written go to its rejects. */
  readonly tally: Pick<ViewTally, 'addWritten'> & {readonly rejects: Pick<RejectsFile, 'add'>}
  readonly signal?: AbortSignal | undefined
  /** After each batch. */
  readonly onRows: () => void
  /** With the rows that the store was given, and what it said. */
  readonly onWritten?: ((rows: OnlineRows, result: WriteResult) => void) | undefined
  /** Called when more of the load is online, with how far it goes: only where the query goes through keys in order. */
  readonly onPosition?: ((position: AcknowledgedBatch) => void) | undefined
}

/** Every row is durable, or kept as a reject, when this settles; when it fails any part of them may be. */
export async function loadView(load: ViewLoad): Promise<void> {
  const {batches: source, isInKeyOrder, signal, onPosition} = load
  const position = new AcknowledgedPosition()
  let batches = 0
  const pending = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const batch of source) {
      signal?.throwIfAborted()
      const number = batches
      batches += 1
      const write = writeBatch(batch, load)
        .then((counts) => {
          if (onPosition === undefined || !isInKeyOrder) return
          const keys = batch.columns.slice(0, batch.eventTimestampIndex)
          position.acknowledge(number, {...counts, after: formatPosition(keys, batch.rowCount - 1)})
          if (position.last !== undefined) onPosition(position.last)
        })
        .catch((error: unknown) => failures.push(error))
        .then(() => void pending.delete(write))
      pending.add(write)
      if (pending.size >= writesInFlight) await Promise.race(pending)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(pending)
  }
  if (failures.length > 0) throw failures[0]
  signal?.throwIfAborted()
}

/** Keeps the selected rows that have no key or no event time as rejects. */
export async function rejectIncomplete({
  query,
  offline,
  tally,
  signal,
}: {
  readonly query: LatestPerEntityQuery
  readonly offline: OfflineStore
  readonly tally: ViewTally
  readonly signal: AbortSignal | undefined
}): Promise<void> {
  const {view, keys, source} = query.rows
  const {timestampField, createdTimestampColumn} = source.source
  const keyNames = keys.map((key) => key.name)
  const named = new Set([...keyNames, timestampField, createdTimestampColumn])
  const types = keys.map((key) => `${key.name} ${key.valueType}`).join(', ')
  for await (const batch of offline.readIncompleteRows(query, signal === undefined ? {} : {signal})) {
    signal?.throwIfAborted()
    const columns = new Map(batch.names.map((name, index) => [name, batch.columns[index] as Column]))
    const valueOf = (name: string, row: number): unknown => {
      const column = columns.get(name)
      return column === undefined ? null : plainAt(column, row)
    }
    const record = (names: readonly string[], row: number): Record<string, unknown> =>
      Object.fromEntries(names.map((name) => [name, valueOf(name, row)]))
    const reasonOf = (row: number): string => {
      if (keyNames.some((name) => valueOf(name, row) === null))
        return `a join key is null or does not fit its type (${types})`
      return valueOf(timestampField, row) === null
        ? `${timestampField} is null`
        : `a join key does not fit its type (${types}), or ${timestampField} is no time`
    }
    const values = batch.names.filter((name) => !named.has(name))
    await tally.rejects.add(
      Array.from({length: batch.rowCount}, (_, row) => ({
        reason: reasonOf(row),
        view,
        key: record(keyNames, row),
        event_timestamp: valueOf(timestampField, row),
        ...(createdTimestampColumn === undefined
          ? {}
          : {created_timestamp: valueOf(createdTimestampColumn, row)}),
        values: record(values, row),
      })),
    )
  }
}

async function writeBatch(
  batch: LatestBatch,
  {table, online, writer, life, tally, onRows, onWritten}: ViewLoad,
): Promise<Pick<AcknowledgedBatch, 'settled' | 'rejected'>> {
  const all = onlineRowsOf(batch)
  // The newest row that can't be written is rejected, and no older one takes its place.
  const reasons = misfitReasons(batch)
  await tally.rejects.add([...reasons].map(([row, reason]) => rejectOf(table, all, row, reason)))
  const rows =
    reasons.size === 0
      ? all
      : pickRows(
          all,
          Array.from({length: all.rowCount}, (_, row) => row).filter((row) => !reasons.has(row)),
        )
  if (rows.rowCount === 0) return {settled: 0, rejected: reasons.size}
  const result = await writer.write(online, table, rows, life)
  await tally.rejects.add(result.rejected.map(({row, reason}) => rejectOf(table, rows, row, reason)))
  tally.addWritten(result, rows.eventTimestamps.values)
  onWritten?.(rows, result)
  onRows()
  return {
    settled: result.written + result.unchanged,
    rejected: reasons.size + result.rejected.length,
  }
}

/** By row: all that does not fit in it. */
function misfitReasons({misfits}: LatestBatch): ReadonlyMap<number, string> {
  const reasons = new Map<number, string>()
  for (const {row, feature, value} of misfits) {
    const reason = `${feature}: ${value} does not fit its type`
    const earlier = reasons.get(row)
    reasons.set(row, earlier === undefined ? reason : `${earlier}; ${reason}`)
  }
  return reasons
}

function onlineRowsOf(batch: LatestBatch): OnlineRows {
  const {columns, eventTimestampIndex, createdTimestampIndex, featuresIndex} = batch
  return {
    rowCount: batch.rowCount,
    keys: columns.slice(0, eventTimestampIndex),
    eventTimestamps: columns[eventTimestampIndex] as OnlineRows['eventTimestamps'],
    createdTimestamps: columns[createdTimestampIndex] as OnlineRows['createdTimestamps'],
    features: columns.slice(featuresIndex),
  }
}

function rejectOf(table: OnlineTable, rows: OnlineRows, row: number, reason: string): Reject {
  const record = (
    names: readonly {readonly name: string}[],
    columns: readonly Column[],
  ): Record<string, unknown> =>
    Object.fromEntries(names.map(({name}, index) => [name, plainAt(columns[index] as Column, row)]))
  return {
    reason,
    view: table.view,
    key: record(table.joinKeys, rows.keys),
    event_timestamp: plainAt(rows.eventTimestamps, row),
    created_timestamp: plainAt(rows.createdTimestamps, row),
    values: record(table.features, rows.features),
  }
}

function plainAt(column: Column, row: number): unknown {
  return plainValue(valueAt(column, row), column.type)
}
