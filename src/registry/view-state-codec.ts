/** The JSON form of a view's state. */
import {parseValueType} from '../definitions/value-type.js'
import {
  asCount,
  asInstant,
  asList,
  asOneOf,
  asOptional,
  asRecord,
  asText,
  formatExactly,
  formatIdentity,
  formatInterval,
  formatOptionalInstant,
  parseIdentity,
  parseInterval,
  UnexpectedValue,
  withoutAbsent,
} from './document-values.js'
import type {BegunSync, Checkpoint, Lease, Replacement, ViewState} from './registry.js'

export function formatViewState(state: ViewState): object {
  return {
    table: state.table,
    retired_features: state.retiredFeatures?.map(({name, valueType}) => ({name, dtype: valueType})),
    store_id: state.storeId,
    load_number: state.loadNumber,
    covered: state.covered.map(formatInterval),
    newest_event_timestamp: formatOptionalInstant(state.newestEventTimestamp),
    arrival: state.arrival && formatArrival(state.arrival),
    lease: state.lease && {
      run_id: state.lease.runId,
      holder: formatIdentity(state.lease.holder),
      since: formatExactly(state.lease.since),
      expires_at: formatExactly(state.lease.expiresAt),
    },
    checkpoint: state.checkpoint && formatCheckpoint(state.checkpoint),
    snapshot: state.snapshot,
    begun_syncs: state.begunSyncs?.map(formatBegunSync),
    replacement: state.replacement && {
      table: state.replacement.table,
      store_id: state.replacement.storeId,
      begun_syncs: state.replacement.begunSyncs?.map(formatBegunSync),
    },
    last_run: state.lastRun && {
      run_id: state.lastRun.runId,
      status: state.lastRun.status,
      finished_at: formatExactly(state.lastRun.finishedAt),
    },
  }
}

export function parseViewState(value: unknown, path: string): ViewState {
  const plain = asRecord(value, path)
  return withoutAbsent<ViewState>({
    table: asText(plain['table'], `${path}.table`),
    retiredFeatures: asOptional(plain['retired_features'], `${path}.retired_features`, (inner, at) =>
      asList(inner, at, parseRetiredFeature),
    ),
    storeId: asOptional(plain['store_id'], `${path}.store_id`, asText),
    loadNumber: asOptional(plain['load_number'], `${path}.load_number`, asCount),
    covered: asList(plain['covered'], `${path}.covered`, parseInterval),
    newestEventTimestamp: asOptional(
      plain['newest_event_timestamp'],
      `${path}.newest_event_timestamp`,
      asInstant,
    ),
    arrival: asOptional(plain['arrival'], `${path}.arrival`, parseArrival),
    lease: asOptional(plain['lease'], `${path}.lease`, parseLease),
    checkpoint: asOptional(plain['checkpoint'], `${path}.checkpoint`, parseCheckpoint),
    snapshot: asOptional(plain['snapshot'], `${path}.snapshot`, (inner, at) => {
      const snapshot = asRecord(inner, at)
      return {file: asText(snapshot['file'], `${at}.file`), rows: asCount(snapshot['rows'], `${at}.rows`)}
    }),
    begunSyncs: asOptional(plain['begun_syncs'], `${path}.begun_syncs`, (inner, at) =>
      asList(inner, at, parseBegunSync),
    ),
    replacement: asOptional(plain['replacement'], `${path}.replacement`, (inner, at) => {
      const replacement = asRecord(inner, at)
      return withoutAbsent<Replacement>({
        table: asText(replacement['table'], `${at}.table`),
        storeId: asOptional(replacement['store_id'], `${at}.store_id`, asText),
        begunSyncs: asOptional(replacement['begun_syncs'], `${at}.begun_syncs`, (list, where) =>
          asList(list, where, parseBegunSync),
        ),
      })
    }),
    lastRun: asOptional(plain['last_run'], `${path}.last_run`, (inner, at) => {
      const last = asRecord(inner, at)
      return {
        runId: asText(last['run_id'], `${at}.run_id`),
        status: asOneOf(['ok', 'failed'], last['status'], `${at}.status`),
        finishedAt: asInstant(last['finished_at'], `${at}.finished_at`),
      }
    }),
  })
}

function formatBegunSync({runId, holder, begunAt, file}: BegunSync): object {
  return {run_id: runId, holder: holder && formatIdentity(holder), begun_at: formatExactly(begunAt), file}
}

function parseBegunSync(value: unknown, path: string): BegunSync {
  const plain = asRecord(value, path)
  return withoutAbsent<BegunSync>({
    runId: asText(plain['run_id'], `${path}.run_id`),
    holder: asOptional(plain['holder'], `${path}.holder`, parseIdentity),
    begunAt: asInstant(plain['begun_at'], `${path}.begun_at`),
    file: asText(plain['file'], `${path}.file`),
  })
}

function formatArrival({created, rows}: NonNullable<ViewState['arrival']>): object {
  return {created: formatExactly(created), rows}
}

function parseArrival(value: unknown, path: string): NonNullable<ViewState['arrival']> {
  const {created, rows} = asRecord(value, path)
  return {created: asInstant(created, `${path}.created`), rows: asCount(rows, `${path}.rows`)}
}

function formatCheckpoint(checkpoint: Checkpoint): object {
  const {arrived, arrival} = checkpoint
  return {
    run_id: checkpoint.runId,
    begun_at: formatExactly(checkpoint.begunAt),
    identity: checkpoint.identity,
    intervals: checkpoint.intervals.map(formatInterval),
    read: checkpoint.read.map(formatInterval),
    load_number: checkpoint.loadNumber,
    arrived: arrived && {
      after: formatExactly(arrived.after),
      or_equal: arrived.orEqual,
      within: formatInterval(arrived.within),
    },
    known_by: formatOptionalInstant(checkpoint.knownBy),
    arrival: arrival && formatArrival(arrival),
    newest_event_timestamp: formatOptionalInstant(checkpoint.newestEventTimestamp),
    after: checkpoint.after,
    rows: checkpoint.rows,
    rejected: checkpoint.rejected,
  }
}

function parseCheckpoint(value: unknown, path: string): Checkpoint {
  const plain = asRecord(value, path)
  return withoutAbsent<Checkpoint>({
    runId: asText(plain['run_id'], `${path}.run_id`),
    begunAt: asInstant(plain['begun_at'], `${path}.begun_at`),
    identity: asText(plain['identity'], `${path}.identity`),
    loadNumber: asOptional(plain['load_number'], `${path}.load_number`, asCount),
    intervals: asList(plain['intervals'], `${path}.intervals`, parseInterval),
    read: asList(plain['read'], `${path}.read`, parseInterval),
    arrived: asOptional(plain['arrived'], `${path}.arrived`, (inner, at) => {
      const arrived = asRecord(inner, at)
      return {
        after: asInstant(arrived['after'], `${at}.after`),
        orEqual: arrived['or_equal'] === true,
        within: parseInterval(arrived['within'], `${at}.within`),
      }
    }),
    knownBy: asOptional(plain['known_by'], `${path}.known_by`, asInstant),
    arrival: asOptional(plain['arrival'], `${path}.arrival`, parseArrival),
    newestEventTimestamp: asOptional(
      plain['newest_event_timestamp'],
      `${path}.newest_event_timestamp`,
      asInstant,
    ),
    after: asList(plain['after'], `${path}.after`, asText),
    rows: asCount(plain['rows'], `${path}.rows`),
    rejected: asCount(plain['rejected'], `${path}.rejected`),
  })
}

function parseRetiredFeature(
  value: unknown,
  path: string,
): NonNullable<ViewState['retiredFeatures']>[number] {
  const plain = asRecord(value, path)
  const valueType = parseValueType(asText(plain['dtype'], `${path}.dtype`))
  if (valueType === undefined) throw new UnexpectedValue(`${path}.dtype`, 'a type', plain['dtype'])
  return {name: asText(plain['name'], `${path}.name`), valueType}
}

function parseLease(value: unknown, path: string): Lease {
  const plain = asRecord(value, path)
  return {
    runId: asText(plain['run_id'], `${path}.run_id`),
    holder: parseIdentity(plain['holder'], `${path}.holder`),
    since: asInstant(plain['since'], `${path}.since`),
    expiresAt: asInstant(plain['expires_at'], `${path}.expires_at`),
  }
}
