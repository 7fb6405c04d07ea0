import {createHash} from 'node:crypto'
import {listDefinitions, type Definitions} from '../definitions/definition.js'
import {formatDefinition} from '../definitions/snake-case.js'

/**
 * A hash of what is registered in a project, the same for the same definitions however they were written. Coverage and
 * runs are no part of it, so that loading rows does not make a reviewed plan stale.
 */
export function baseRevisionOf(project: string, definitions: Definitions): string {
  const plain = listDefinitions(definitions).map(formatDefinition)
  return createHash('sha256')
    .update(JSON.stringify([project, plain.map(sortKeys)]))
    .digest('hex')
    .slice(0, 32)
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
