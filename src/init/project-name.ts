import {FeatureStoreError} from '../errors.js'

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

/** Returns `name` when it may name a project, as feature_store.yaml takes it. Throws FS_ARGUMENT_INVALID. */
export function checkProjectName(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) return name
  throw new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    `\`${name}\` can't name a project. Expected a letter, then letters, digits, \`_\` or \`-\`, 64 at most.`,
    {hint: `Name it, for example, ${projectNameOf(name)}.`},
  )
}
