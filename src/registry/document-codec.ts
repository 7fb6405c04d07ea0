/**
 * The JSON text of a registry, the same in every driver: readable, snake_case, instants as ISO text exact to the
 * microsecond.
 */
import {addressOf, collectDefinitions, listDefinitions, type Definition} from '../definitions/definition.js'
import {formatInstant, parseInstant, type Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'
import {formatDefinition, parseDefinition, type PlainDefinition} from '../definitions/snake-case.js'
import {parseValueType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import {
  asCount,
  asInstant,
  asList,
  asNumber,
  asOneOf,
  asOptional,
  asRecord,
  asText,
  UnexpectedValue,
} from './document-values.js'
import type {
  Checkpoint,
  Lease,
  ProcessIdentity,
  RegistryDocument,
  RegistrySnapshot,
  RowCounts,
  RunRecord,
  RunWriting,
  ViewRun,
  ViewState,
} from './registry.js'

const formatName = 'feature-repo registry'
const formatVersion = 1

/** The text of a registry; `parseSnapshot` gives it back exactly. */
export function formatSnapshot({revision, document}: RegistrySnapshot): string {
  const plain = {
    format: formatName,
    version: formatVersion,
    project: document.project,
    revision,
    definitions: listDefinitions(document.definitions).map(formatDefinition),
    views: Object.fromEntries(
      Object.entries(document.views).map(([name, state]) => [name, formatViewState(state)]),
    ),
    pending_drops: document.pendingDrops,
    reserved_tables: document.reservedTables,
    runs: document.runs.map(formatRun),
  }
  return `${JSON.stringify(plain, undefined, 2)}\n`
}

/**
 * Reads a registry of `project`. `place` is where the text was found, for messages. Text that is no registry, or one of
 * another release, is FS_REGISTRY_UNREADABLE; a registry of another project FS_REGISTRY_PROJECT_MISMATCH.
 */
export function parseSnapshot(text: string, place: string, project: string): RegistrySnapshot {
  let plain: unknown
  try {
    plain = JSON.parse(text)
  } catch (cause) {
    throw unreadable(place, 'it is not JSON', cause)
  }
  try {
    const top = asRecord(plain, '')
    if (top['format'] !== formatName) throw unreadable(place, `its \`format\` is not \`${formatName}\``)
    if (top['version'] !== formatVersion) {
      const found = JSON.stringify(top['version']) ?? 'missing'
      throw unreadable(
        place,
        `its format version is ${found}, and this release reads version ${formatVersion}`,
      )
    }
    const found = asText(top['project'], 'project')
    if (found !== project) throw mismatch(place, found, project)
    return {revision: asText(top['revision'], 'revision'), document: parseDocument(top, project)}
  } catch (error) {
    if (error instanceof UnexpectedValue) throw unreadable(place, error.message, error)
    throw error
  }
}

function parseDocument(top: Readonly<Record<string, unknown>>, project: string): RegistryDocument {
  const views = asRecord(top['views'], 'views')
  return withoutAbsent<RegistryDocument>({
    project,
    definitions: collectDefinitions(asList(top['definitions'], 'definitions', parseRegistered)),
    views: Object.fromEntries(
      Object.entries(views).map(([name, state]) => [name, parseViewState(state, `views.${name}`)]),
    ),
    pendingDrops: asList(top['pending_drops'], 'pending_drops', asText),
    reservedTables: asOptional(top['reserved_tables'], 'reserved_tables', (inner, at) =>
      asList(inner, at, asText),
    ),
    runs: asList(top['runs'], 'runs', parseRun),
  })
}

/**
 * A definition that this release understands whole: reading must not lose a key that another release wrote. A key that
 * only this release writes (a new default) is no loss.
 */
function parseRegistered(value: unknown, path: string): Definition {
  const plain = asRecord(value, path) as PlainDefinition
  let definition: Definition
  try {
    definition = parseDefinition(plain)
  } catch {
    throw new UnexpectedValue(path, 'a definition', value)
  }
  const lost = lostPath(plain, formatDefinition(definition))
  if (lost === undefined) return definition
  throw new UnexpectedValue(
    `${path} (${addressOf(definition)}), ${lost}`,
    'something this release knows',
    undefined,
  )
}

/** Where `kept` lacks something of `given`; undefined when it has it all. */
function lostPath(given: unknown, kept: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return given === kept ? undefined : ''
  if (typeof kept !== 'object' || kept === null) return ''
  for (const [key, inner] of Object.entries(given)) {
    const lost = lostPath(inner, (kept as Readonly<Record<string, unknown>>)[key])
    if (lost !== undefined) return lost === '' ? key : `${key}.${lost}`
  }
  return undefined
}

function formatViewState(state: ViewState): object {
  return {
    table: state.table,
    retired_features: state.retiredFeatures?.map(({name, valueType}) => ({name, dtype: valueType})),
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
    last_run: state.lastRun && {
      run_id: state.lastRun.runId,
      status: state.lastRun.status,
      finished_at: formatExactly(state.lastRun.finishedAt),
    },
  }
}

function parseViewState(value: unknown, path: string): ViewState {
  const plain = asRecord(value, path)
  return withoutAbsent<ViewState>({
    table: asText(plain['table'], `${path}.table`),
    retiredFeatures: asOptional(plain['retired_features'], `${path}.retired_features`, (inner, at) =>
      asList(inner, at, parseRetiredFeature),
    ),
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

function formatRun(run: RunRecord): object {
  return {
    id: run.id,
    command: run.command,
    status: run.status,
    holder: formatIdentity(run.holder),
    started_at: formatExactly(run.startedAt),
    finished_at: formatOptionalInstant(run.finishedAt),
    views: run.views.map(({rejectsFile, intervals, ...view}) => ({
      ...view,
      intervals: intervals.map(formatInterval),
      rejects_file: rejectsFile,
    })),
    writing: run.writing === undefined ? undefined : formatWriting(run.writing),
  }
}

function formatWriting({rate, ...writing}: RunWriting): object {
  return {
    requests: writing.requests,
    retries: writing.retries,
    waited_for_turn_ms: writing.waitedForTurnMillis,
    held_back_ms: writing.heldBackMillis,
    p50_ms: writing.p50Millis,
    p99_ms: writing.p99Millis,
    rate: {every_ms: rate.everyMillis, rows: rate.rows},
  }
}

function parseWriting(value: unknown, path: string): RunWriting {
  const plain = asRecord(value, path)
  const rate = asRecord(plain['rate'], `${path}.rate`)
  const number = (name: string): number => asNumber(plain[name], `${path}.${name}`)
  return {
    requests: asCount(plain['requests'], `${path}.requests`),
    retries: Object.fromEntries(
      Object.entries(asRecord(plain['retries'], `${path}.retries`)).map(([cause, count]) => [
        cause,
        asCount(count, `${path}.retries.${cause}`),
      ]),
    ),
    waitedForTurnMillis: number('waited_for_turn_ms'),
    heldBackMillis: number('held_back_ms'),
    p50Millis: number('p50_ms'),
    p99Millis: number('p99_ms'),
    rate: {
      everyMillis: asCount(rate['every_ms'], `${path}.rate.every_ms`),
      rows: asList(rate['rows'], `${path}.rate.rows`, asCount),
    },
  }
}

function parseRun(value: unknown, path: string): RunRecord {
  const plain = asRecord(value, path)
  return withoutAbsent<RunRecord>({
    id: asText(plain['id'], `${path}.id`),
    command: asOneOf(['materialize', 'materialize-incremental'], plain['command'], `${path}.command`),
    status: asOneOf(['running', 'ok', 'failed', 'interrupted'], plain['status'], `${path}.status`),
    holder: parseIdentity(plain['holder'], `${path}.holder`),
    startedAt: asInstant(plain['started_at'], `${path}.started_at`),
    finishedAt: asOptional(plain['finished_at'], `${path}.finished_at`, asInstant),
    views: asList(plain['views'], `${path}.views`, parseViewRun),
    writing: asOptional(plain['writing'], `${path}.writing`, parseWriting),
  })
}

function parseViewRun(value: unknown, path: string): ViewRun {
  const plain = asRecord(value, path)
  return withoutAbsent<ViewRun>({
    name: asText(plain['name'], `${path}.name`),
    status: asOneOf(['running', 'ok', 'failed'], plain['status'], `${path}.status`),
    intervals: asList(plain['intervals'], `${path}.intervals`, parseInterval),
    rows: parseRowCounts(plain['rows'], `${path}.rows`),
    notes: asOptional(plain['notes'], `${path}.notes`, (inner, at) => asList(inner, at, asText)),
    error: asOptional(plain['error'], `${path}.error`, (inner, at) => {
      const error = asRecord(inner, at)
      return withoutAbsent<NonNullable<ViewRun['error']>>({
        code: asText(error['code'], `${at}.code`),
        message: asText(error['message'], `${at}.message`),
        hint: asOptional(error['hint'], `${at}.hint`, asText),
      })
    }),
    rejectsFile: asOptional(plain['rejects_file'], `${path}.rejects_file`, asText),
  })
}

function parseRowCounts(value: unknown, path: string): RowCounts {
  const plain = asRecord(value, path)
  const count = (name: keyof RowCounts): number => asCount(plain[name], `${path}.${name}`)
  return {
    read: count('read'),
    written: count('written'),
    unchanged: count('unchanged'),
    rejected: count('rejected'),
    deleted: count('deleted'),
  }
}

/** The JSON form of an identity, for lock files too. */
export function formatIdentity({host, pid, bootId, startedAt}: ProcessIdentity): object {
  return {host, pid, boot_id: bootId, started_at: startedAt}
}

/** The inverse of `formatIdentity`; throws UnexpectedValue, naming `path`. */
export function parseIdentity(value: unknown, path: string): ProcessIdentity {
  const plain = asRecord(value, path)
  return {
    host: asText(plain['host'], `${path}.host`),
    pid: asCount(plain['pid'], `${path}.pid`),
    bootId: asText(plain['boot_id'], `${path}.boot_id`),
    startedAt: asText(plain['started_at'], `${path}.started_at`),
  }
}

function formatInterval({start, end}: Interval): object {
  return {start: start === null ? null : formatExactly(start), end: formatExactly(end)}
}

function parseInterval(value: unknown, path: string): Interval {
  const plain = asRecord(value, path)
  return {
    start: plain['start'] === null ? null : asInstant(plain['start'], `${path}.start`),
    end: asInstant(plain['end'], `${path}.end`),
  }
}

/** ISO text; the bare number of microseconds for an instant outside the four-digit years, which a source may hold. */
function formatExactly(instant: Instant): string {
  const years = {first: -62_135_596_800_000_000n, last: 253_402_300_799_999_999n}
  const text = instant < years.first || instant > years.last ? undefined : formatInstant(instant)
  return text !== undefined && parseInstant(text) === instant ? text : instant.toString()
}

function formatOptionalInstant(instant: Instant | undefined): string | undefined {
  return instant === undefined ? undefined : formatExactly(instant)
}

/** Optional keys whose value is absent are left out, as exact optional properties ask. */
function withoutAbsent<T extends object>(record: {readonly [K in keyof T]: T[K] | undefined}): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
}

function unreadable(place: string, reason: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_REGISTRY_UNREADABLE', `The registry ${place} can't be read: ${reason}.`, {
    hint: 'Put back a copy of the file, or use the release that wrote it.',
    cause,
  })
}

function mismatch(place: string, found: string, expected: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_REGISTRY_PROJECT_MISMATCH',
    `The registry ${place} belongs to project \`${found}\`, and feature_store.yaml says \`${expected}\`.`,
    {hint: 'Give each project a registry of its own, or set the project it was made for.'},
  )
}
