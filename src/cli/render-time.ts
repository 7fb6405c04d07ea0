import {formatInstant, type Instant} from '../definitions/instant.js'
import type {Interval} from '../definitions/interval.js'

/** `(2024-01-01T00:00:00Z, 2024-02-01T00:00:00Z]`, as intervals are written everywhere. */
export function renderInterval(interval: Interval): string {
  return `(${interval.start === null ? 'beginning' : formatInstant(interval.start)}, ${formatInstant(interval.end)}]`
}

/** A length of time in its two largest units: `3d 4h`, `12m 5s`, `0.4s`. */
export function renderSpan(micros: bigint): string {
  const seconds = Number(micros) / 1e6
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}s`
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [Math.floor(seconds) % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}

/** How long ago, or `-` for never. */
export function renderAge(instant: Instant | null | undefined, now: Instant): string {
  if (instant === null || instant === undefined) return '-'
  return instant > now ? `in ${renderSpan(instant - now)}` : `${renderSpan(now - instant)} ago`
}
