import type {PacingPolicy} from './load-pacer.js'
import type {WriteLimits} from './write-limits.js'

/** The limits as they are, whatever the store says. */
export function staticPacing({
  maxConcurrency,
  maxWritesPerSecond = Infinity,
}: Pick<WriteLimits, 'maxConcurrency' | 'maxWritesPerSecond'>): PacingPolicy {
  const ignore = (): void => undefined
  return {
    concurrency: maxConcurrency,
    rowsPerSecond: maxWritesPerSecond,
    onAcknowledged: ignore,
    onRefused: ignore,
    onHeldBack: ignore,
  }
}
