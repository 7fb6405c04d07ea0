/**
 * A valid project name made from a folder's name: lower case letters, digits and `_`, a letter first, 64 at most; `features` when
 * nothing is left of it.
 */
export function projectNameOf(folder: string): string {
  const words = folder
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+/, '')
    .slice(0, 64)
    .replace(/_+$/, '')
  return words === '' ? 'features' : words
}
