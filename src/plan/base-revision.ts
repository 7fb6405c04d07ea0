import {createHash} from 'node:crypto'
import {listDefinitions, type Definitions} from '../definitions/definition.js'
import {formatDefinition} from '../definitions/snake-case.js'

/**
 * A hash of what is registered in a project, the same for the same definitions however they were written. Coverage and
 * runs are no part of it, so that loading rows does not make a reviewed plan stale.
 */
export function baseRevisionOf(project: string, definitions: Definitions): string {
  const hash = createHash('sha256').update(JSON.stringify(project))
  for (const one of listDefinitions(definitions)) hash.update(JSON.stringify(formatDefinition(one), sortKeys))
  return hash.digest('hex').slice(0, 32)
}

/** Records that users write have no order; the keys of everything else come in one order anyway. */
function sortKeys(key: string, value: unknown): unknown {
  if (key !== 'tags' && key !== 'field_mapping' && key !== 'join_key_map') return value
  const entries = Object.entries(value as Readonly<Record<string, string>>)
  return entries.sort(([a], [b]) => (a < b ? -1 : 1))
}
