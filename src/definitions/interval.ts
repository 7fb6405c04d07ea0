import type {Instant} from './instant.js'

/** The instants after `start` up to and including `end`; `start` null is the beginning of time. */
export interface Interval {
  readonly start: Instant | null
  readonly end: Instant
}
