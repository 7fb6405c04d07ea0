import type {DataSource} from '../definitions/definition.js'
import {sourcesNamedIn} from '../definitions/named-sources.js'

/** A source and all that its query reads, directly or through others. Empty when there is no such source. */
export function lineageOf(name: string, sources: readonly DataSource[]): readonly DataSource[] {
  const lineage = new Map<string, DataSource>()
  const add = (source: DataSource | undefined): void => {
    if (source === undefined || lineage.has(source.name)) return
    lineage.set(source.name, source)
    if (source.type === 'query') for (const input of sourcesNamedIn(source.query, sources)) add(input)
  }
  add(sources.find((one) => one.name === name))
  return [...lineage.values()]
}
