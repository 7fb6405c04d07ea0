import {closest, distance} from 'fastest-levenshtein'

/** The most names that a message lists. */
const longestList = 20

/** ` Did you mean x?` when one of `names` is near enough to be what was meant, else nothing. */
export function suggestName(name: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const folded = names.map((one) => one.toLowerCase())
  const best = names[folded.indexOf(closest(name.toLowerCase(), folded))] as string
  const isNear = distance(name.toLowerCase(), best.toLowerCase()) <= Math.max(2, name.length / 3)
  return isNear ? ` Did you mean \`${best}\`?` : ''
}

/** Names for a message, the first of them when there are many. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, longestList).join(', ')
  return names.length > longestList ? `${shown} and ${names.length - longestList} more` : shown
}
