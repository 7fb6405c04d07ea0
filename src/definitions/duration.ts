/** A length of time in microseconds. */
export type Duration = bigint

const units: Readonly<Record<string, bigint>> = {
  us: 1n,
  ms: 1000n,
  s: 1_000_000n,
  m: 60_000_000n,
  h: 3_600_000_000n,
  d: 86_400_000_000n,
  w: 604_800_000_000n,
}

/** The longest duration accepted: 10,000 years, so that no instant minus a duration leaves the engines' range. */
const longest = 3_652_425n * 86_400_000_000n

/** Reads `90s`, `15m`, `2h`, `1d`, `2w` (also `ms`, `us`) or the number 0; `undefined` for anything else. */
export function parseDuration(text: string): Duration | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0n
  const match = /^(\d{1,18})\s*(us|ms|s|m|h|d|w)$/.exec(trimmed)
  if (match === null) return undefined
  const duration = BigInt(match[1] ?? '') * (units[match[2] ?? ''] ?? 0n)
  return duration > longest ? undefined : duration
}

/** The shortest text for a duration: the largest unit that divides it. The inverse of `parseDuration`. */
export function formatDuration(duration: Duration): string {
  if (duration === 0n) return '0s'
  const unit = Object.entries(units)
    .reverse()
    .find(([name, micros]) => name !== 'w' && duration % micros === 0n)
  const [name, micros] = unit ?? ['us', 1n]
  return `${duration / micros}${name}`
}
