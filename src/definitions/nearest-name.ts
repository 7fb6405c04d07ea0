import {closest, distance} from 'fastest-levenshtein'

/** The most names that a message lists. */
const longestList = 20

/** The one of `names` that was probably meant, or undefined when none is near. */
function nearestName(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined
  const folded = names.map((one) => one.toLowerCase())
  const best = names[folded.indexOf(closest(name.toLowerCase(), folded))] as string
  if (distance(name.toLowerCase(), best.toLowerCase()) <= Math.max(2, name.length / 3)) return best
  // `conv` for `conv_rate` is far in letters and near in mind.
  return name.length < 3 ? undefined : names.find((_, index) => folded[index]?.startsWith(name.toLowerCase()))
}

/** "Did you mean `x`?" when one of `names` is near enough to be what was meant. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const nearest = nearestName(name, names)
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`
}

/** ` Did you mean \`x\`?` to append to a sentence, or nothing. */
export function suggestName(name: string, names: readonly string[]): string {
  const question = didYouMean(name, names)
  return question === undefined ? '' : ` ${question}`
}

/** Names for a message, the first of them when there are many. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, longestList).join(', ')
  return names.length > longestList ? `${shown} and ${names.length - longestList} more` : shown
}
