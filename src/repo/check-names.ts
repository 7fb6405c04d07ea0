import {addressOf, definitionKinds} from '../definitions/definition.js'
import type {SourcePosition} from '../errors.js'
import type {ProblemList} from './problem-list.js'
import type {LoadedDefinition} from './repo-contents.js'
import type {RepoIndex} from './repo-index.js'

/** Names of results that mean something else: the time of an entity row. */
const reservedColumns: ReadonlySet<string> = new Set(['event_timestamp'])

/** Refuses two definitions of one kind whose names differ by case at most, and columns named twice or reserved. */
export function checkNames(index: RepoIndex, problems: ProblemList): void {
  for (const kind of definitionKinds) {
    const first = new Map<string, LoadedDefinition>()
    for (const loaded of index.list(kind)) {
      const {name} = loaded.definition
      // Every JavaScript object has them: they would be found where nothing is.
      if (name in Object.prototype) {
        problems.add(
          'FS_DEFINITION_INVALID',
          loaded,
          ['name'],
          `\`${name}\` is a reserved name.`,
          'Give it another name.',
        )
      }
      const folded = name.toLowerCase()
      const earlier = first.get(folded)
      if (earlier === undefined) {
        first.set(folded, loaded)
        continue
      }
      problems.add(
        'FS_DEFINITION_DUPLICATE',
        loaded,
        ['name'],
        `this name is taken by ${addressOf(earlier.definition)} at ${formatPosition(earlier.locate(['name']))}. Expected names that differ by more than case.`,
        'Rename or remove one of the two.',
      )
    }
  }
  for (const loaded of index.list('entity')) {
    const keys = loaded.definition.joinKeys.map(({name}) => name)
    eachRepeated(keys, (name, at) =>
      problems.add(
        'FS_DEFINITION_DUPLICATE',
        loaded,
        ['join_keys', at],
        `join key \`${name}\` stands twice.`,
        'Remove one of the two.',
      ),
    )
    keys.forEach((name, at) =>
      refuseReserved(loaded, ['join_keys', at], `join key \`${name}\``, name, problems),
    )
  }
  for (const loaded of index.list('feature_view')) {
    const features = loaded.definition.schema.map(({name}) => name)
    eachRepeated(features, (name, at) =>
      problems.add(
        'FS_DEFINITION_DUPLICATE',
        loaded,
        ['schema', at, 'name'],
        `feature \`${name}\` stands twice.`,
        'Remove one of the two.',
      ),
    )
    features.forEach((name, at) =>
      refuseReserved(loaded, ['schema', at, 'name'], `feature \`${name}\``, name, problems),
    )
    eachRepeated(loaded.definition.entities, (name, at) =>
      problems.add(
        'FS_DEFINITION_DUPLICATE',
        loaded,
        ['entities', at],
        `entity \`${name}\` stands twice.`,
        'Remove one of the two.',
      ),
    )
  }
}

/** Calls back for each name that stood before; case does not matter, as in the engines. */
export function eachRepeated(names: readonly string[], found: (name: string, index: number) => void): void {
  const seen = new Set<string>()
  names.forEach((name, index) => {
    if (seen.has(name.toLowerCase())) found(name, index)
    seen.add(name.toLowerCase())
  })
}

function refuseReserved(
  loaded: LoadedDefinition,
  path: readonly (string | number)[],
  what: string,
  name: string,
  problems: ProblemList,
): void {
  if (!reservedColumns.has(name.toLowerCase()) && name !== '__proto__') return
  problems.add(
    'FS_DEFINITION_INVALID',
    loaded,
    path,
    `${what} has a reserved name${name === '__proto__' ? '' : ': it is the time of an entity row'}.`,
    'Give the column another name by `field_mapping` of the source.',
  )
}

function formatPosition({file, line, column}: SourcePosition): string {
  return [file, line, column].filter((part) => part !== undefined).join(':')
}
