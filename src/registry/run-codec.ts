/** The JSON form of a run's record. */
import {
  asCount,
  asInstant,
  asList,
  asNumber,
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
  withoutAbsent,
} from './document-values.js'
import type {RowCounts, RunRecord, RunWriting, ViewRun} from './registry.js'

export function formatRun(run: RunRecord): object {
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

export function parseRun(value: unknown, path: string): RunRecord {
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

function parseViewRun(value: unknown, path: string): ViewRun {
  const plain = asRecord(value, path)
  return withoutAbsent<ViewRun>({
    name: asText(plain['name'], `${path}.name`),
    status: asOneOf(['running', 'ok', 'failed'], plain['status'], `${path}.status`),
    intervals: asList(plain['intervals'], `${path}.intervals`, parseInterval),
    rows: parseRowCounts(plain['rows'], `${path}.rows`),
    snapshots: asOptional(plain['snapshots'], `${path}.snapshots`, (inner, at) =>
      Object.fromEntries(
        Object.entries(asRecord(inner, at)).map(([name, one]) => [name, asText(one, `${at}.${name}`)]),
      ),
    ),
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
