import type {DataSource} from './definition.js'

/** Words after which a table stands. */
const beforeTable: ReadonlySet<string> = new Set([
  'from',
  'join',
  'table',
  'pivot',
  'pivot_wider',
  'pivot_longer',
  'unpivot',
  'summarize',
  'describe',
  'show',
])
/** Words that end a list of tables, in which each comma is followed by another. */
const afterTables: ReadonlySet<string> = new Set([
  'select',
  'where',
  'group',
  'having',
  'window',
  'qualify',
  'order',
  'limit',
  'offset',
  'union',
  'intersect',
  'except',
  'on',
  'using',
  'set',
  'values',
])

/** Comments and literals, which name nothing; then quoted names, words, and the marks that matter here. */
const tokens =
  /--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'|\$(\w*)\$[^]*?\$\1\$|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*)|([(),])/gu

/**
 * The sources that stand where tables stand in a piece of SQL; identifiers ignore case. No engine is asked, so that a
 * plan needs none. A name that the SQL defines itself (WITH) counts too: then the engine is offered one table more.
 */
export function sourcesNamedIn(sql: string, sources: readonly DataSource[]): readonly DataSource[] {
  const tables = tablesIn(sql)
  return sources.filter((source) => tables.has(source.name.toLowerCase()))
}

function tablesIn(sql: string): ReadonlySet<string> {
  const tables = new Set<string>()
  // For each open bracket: whether its commas separate tables.
  const listsTables = [false]
  let expectsTable = false
  for (const {index, 0: token, 2: quoted, 3: word, 4: mark} of sql.matchAll(tokens)) {
    const depth = listsTables.length - 1
    const keyword = word?.toLowerCase() ?? ''
    const name = quoted?.replaceAll('""', '"').toLowerCase() ?? keyword
    if (beforeTable.has(keyword)) {
      expectsTable = true
      listsTables[depth] = true
    } else if (afterTables.has(keyword)) {
      expectsTable = false
      listsTables[depth] = false
    } else if (name !== '' && expectsTable && keyword !== 'lateral') {
      // `schema.table` is no source: their names stand alone.
      if (!/^\s*\./.test(sql.slice(index + token.length))) tables.add(name)
      expectsTable = false
    } else if (mark === '(') {
      // In `FROM (a JOIN b)` a table may stand first; a subquery begins with its own words.
      listsTables.push(expectsTable)
    } else if (mark === ')') {
      if (depth > 0) listsTables.pop()
      expectsTable = false
    } else if (mark === ',') expectsTable = listsTables[depth] ?? false
  }
  return tables
}
