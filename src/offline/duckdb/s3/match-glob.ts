/**
 * Whether a key fits a pattern as the engine means it: `*` and `?` stay within a folder, `**` is any number of folders, and
 * `[…]` one of some characters: https://duckdb.org/docs/stable/data/multiple_files/overview
 */
export function matchGlob(pattern: string, key: string): boolean {
  return matchFolders(pattern.split('/'), key.split('/'))
}

/** What all keys that fit begin with. */
export function fixedPrefix(pattern: string): string {
  return /^[^*?[]*/.exec(pattern)?.[0] ?? ''
}

export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern)
}

function matchFolders([first, ...others]: readonly string[], folders: readonly string[]): boolean {
  if (first === undefined) return folders.length === 0
  if (first === '**')
    return (
      matchFolders(others, folders) ||
      (folders.length > 0 && matchFolders([first, ...others], folders.slice(1)))
    )
  const [folder, ...rest] = folders
  return folder !== undefined && nameExpression(first).test(folder) && matchFolders(others, rest)
}

function nameExpression(pattern: string): RegExp {
  const parts = pattern.match(/\[!?\]?[^\]]*\]|[^]/g) ?? []
  const text = parts.map((part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    if (part.length > 1) {
      const inner = part.slice(1, -1)
      const negated = inner.startsWith('!')
      return `[${negated ? '^' : ''}${inner.slice(negated ? 1 : 0).replaceAll(/[\\\]^[]/g, '\\$&')}]`
    }
    return part.replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${text.join('')}$`, 's')
}
