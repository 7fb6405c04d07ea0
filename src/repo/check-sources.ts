import {sourcesNamedIn} from '../definitions/named-sources.js'
import type {DataSource} from '../definitions/definition.js'
import type {ProblemList} from './problem-list.js'
import type {RepoIndex} from './repo-index.js'
import {eachRepeated} from './check-names.js'

/**
 * Checks sources as they are written. Returns the names of those that must not be described: queries that lead back to
 * themselves, and sources that do not say what to read.
 */
export function checkSources(index: RepoIndex, problems: ProblemList): ReadonlySet<string> {
  const unusable = new Set<string>()
  const sources = index.sources()
  for (const loaded of index.list('data_source')) {
    const source = loaded.definition
    if (
      (source.type === 'duckdb' || source.type === 'redshift') &&
      (source.table === undefined) === (source.query === undefined)
    ) {
      unusable.add(source.name)
      const both = source.table !== undefined
      problems.add(
        'FS_DEFINITION_INVALID',
        loaded,
        both ? ['query'] : [],
        `it has ${both ? 'both `table` and `query`' : 'neither `table` nor `query`'}. Expected exactly one.`,
        both ? 'Remove one of the two.' : 'Add `table` or `query`.',
      )
    }
    const targets = Object.entries(source.fieldMapping ?? {})
    eachRepeated(
      targets.map(([, target]) => target),
      (target, at) =>
        problems.add(
          'FS_DEFINITION_DUPLICATE',
          loaded,
          ['field_mapping', targets[at]?.[0] ?? ''],
          `two columns are mapped to \`${target}\`.`,
          'Map one of them to another name.',
        ),
    )
    const cycle = cycleFrom(source, sources)
    if (cycle === undefined) continue
    unusable.add(source.name)
    if (cycle.at(-1) === source.name)
      problems.add(
        'FS_DEFINITION_INVALID',
        loaded,
        ['query'],
        `its query leads back to itself: ${[source.name, ...cycle].join(' -> ')}.`,
        'Take one of these names out of a query.',
      )
  }
  return unusable
}

/** The way from a source into a circle of queries, if there is one. A query may use a table of its own name. */
function cycleFrom(source: DataSource, sources: readonly DataSource[]): readonly string[] | undefined {
  const walk = (current: DataSource, way: readonly string[]): readonly string[] | undefined => {
    if (current.type !== 'query') return undefined
    for (const next of sourcesNamedIn(current.query, sources)) {
      if (next.name === current.name) continue
      if (next.name === source.name || way.includes(next.name)) return [...way, next.name]
      const found = walk(next, [...way, next.name])
      if (found !== undefined) return found
    }
    return undefined
  }
  return walk(source, [])
}
