/** Sets of intervals `(start, end]`, kept merged and sorted; `start` null is the beginning of time. */
import type {Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'

/** The same instants as few intervals, in order: those that touch or overlap become one, empty ones none. */
export function mergeIntervals(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = intervals.filter((one) => !isEmpty(one)).sort((a, b) => compareStarts(a.start, b.start))
  const merged: Interval[] = []
  for (const one of sorted) {
    const last = merged.at(-1)
    if (last === undefined || (one.start !== null && one.start > last.end)) merged.push(one)
    else if (one.end > last.end) merged[merged.length - 1] = {start: last.start, end: one.end}
  }
  return merged
}

/** What is in `wanted` and in none of `covered`, in order. */
export function subtractIntervals(wanted: Interval, covered: readonly Interval[]): readonly Interval[] {
  const missing: Interval[] = []
  let {start} = wanted
  for (const one of mergeIntervals(covered)) {
    const from = laterStart(start, one.start)
    if (from !== null && from > wanted.end) break
    if (compareStarts(start, one.start) < 0) missing.push({start, end: one.start as Instant})
    if (start === null || one.end > start) start = one.end
  }
  missing.push({start, end: wanted.end})
  return missing
    .map((one) => (one.end > wanted.end ? {start: one.start, end: wanted.end} : one))
    .filter((one) => !isEmpty(one))
}

/** What of `intervals` is after `start`, in order. */
export function clipIntervals(intervals: readonly Interval[], start: Instant): readonly Interval[] {
  return mergeIntervals(intervals.map((one) => ({start: laterStart(one.start, start), end: one.end})))
}

/** Whether no instant is in it. */
export function isEmpty({start, end}: Interval): boolean {
  return start !== null && start >= end
}

function compareStarts(a: Instant | null, b: Instant | null): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}

function laterStart(a: Instant | null, b: Instant | null): Instant | null {
  return compareStarts(a, b) >= 0 ? a : b
}
