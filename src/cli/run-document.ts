import type {Interval} from '../definitions/interval.js'
import {formatInstant, type Instant} from '../definitions/instant.js'
import type {RunRecord, RunWriting, ViewRun} from '../registry/registry.js'

export interface IntervalDocument {
  /** Null: from the beginning of time. */
  readonly start: string | null
  readonly end: string
}

/** A run as `--json` shows it. */
export interface RunDocument {
  readonly run_id: string
  readonly command: string
  readonly status: string
  readonly started_at: string
  readonly finished_at: string | null
  readonly host: string
  readonly pid: number
  readonly views: readonly (Pick<ViewRun, 'name' | 'status' | 'rows' | 'error'> & {
    readonly intervals: readonly IntervalDocument[]
    /** By name of a source: the snapshot of its table that was read. */
    readonly snapshots?: Readonly<Record<string, string>>
    readonly notes?: readonly string[]
    readonly rejects_file?: string
  })[]
  /** Of a run that wrote to a store that is a server. */
  readonly writing?: WritingDocument
}

export interface WritingDocument {
  readonly requests: number
  readonly retries: Readonly<Record<string, number>>
  readonly waited_for_turn_ms: number
  readonly held_back_ms: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly rate: {readonly every_ms: number; readonly rows: readonly number[]}
}

export function runDocument(run: RunRecord): RunDocument {
  return {
    run_id: run.id,
    command: run.command,
    status: run.status,
    started_at: formatInstant(run.startedAt),
    finished_at: optionalInstant(run.finishedAt),
    host: run.holder.host,
    pid: run.holder.pid,
    views: run.views.map((view) => ({
      name: view.name,
      status: view.status,
      intervals: view.intervals.map(intervalDocument),
      rows: view.rows,
      ...(view.snapshots === undefined ? {} : {snapshots: view.snapshots}),
      ...(view.notes === undefined ? {} : {notes: view.notes}),
      ...(view.error === undefined ? {} : {error: view.error}),
      ...(view.rejectsFile === undefined ? {} : {rejects_file: view.rejectsFile}),
    })),
    ...(run.writing === undefined ? {} : {writing: writingDocument(run.writing)}),
  }
}

function writingDocument(writing: RunWriting): WritingDocument {
  return {
    requests: writing.requests,
    retries: writing.retries,
    waited_for_turn_ms: writing.waitedForTurnMillis,
    held_back_ms: Math.round(writing.heldBackMillis),
    p50_ms: hundredths(writing.p50Millis),
    p99_ms: hundredths(writing.p99Millis),
    rate: {every_ms: writing.rate.everyMillis, rows: writing.rate.rows},
  }
}

function hundredths(millis: number): number {
  return Math.round(millis * 100) / 100
}

export function intervalDocument(interval: Interval): IntervalDocument {
  return {start: optionalInstant(interval.start), end: formatInstant(interval.end)}
}

export function optionalInstant(instant: Instant | null | undefined): string | null {
  return instant === null || instant === undefined ? null : formatInstant(instant)
}
