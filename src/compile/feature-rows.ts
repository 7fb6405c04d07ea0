import {joinKeysOf, type DataSource, type Definitions, type FeatureView} from '../definitions/definition.js'
import {sourcesNamedIn} from '../definitions/named-sources.js'
import type {FeatureRows, SourceTree} from './query.js'

/** The rows of a view, for an offline store to read. Every name it refers to must be in `definitions`. */
export function featureRowsOf(view: FeatureView, definitions: Definitions): FeatureRows {
  const source = definitions.dataSources.find((one) => one.name === view.source)
  if (source === undefined)
    throw new Error(`source ${view.source} of view ${view.name} is not in the definitions`)
  return {
    view: view.name,
    source: sourceTreeOf(source, definitions.dataSources),
    keys: joinKeysOf(view, definitions).map(({name, valueType}) => ({name, valueType})),
    features: view.schema.map(({name, valueType}) => ({name, valueType})),
  }
}

/**
 * A source with every other source that its query may mean. A name in a text literal counts too: the engine is offered
 * one table more than it needs. Sources must not lead back to themselves.
 */
export function sourceTreeOf(source: DataSource, sources: readonly DataSource[]): SourceTree {
  if (source.type !== 'query') return {source, inputs: {}}
  return {
    source,
    inputs: sourceTreesIn(
      source.query,
      sources.filter((one) => one.name !== source.name),
    ),
  }
}

/** The sources that a piece of SQL may name as tables, by name. */
export function sourceTreesIn(
  sql: string,
  sources: readonly DataSource[],
): Readonly<Record<string, SourceTree>> {
  return Object.fromEntries(
    sourcesNamedIn(sql, sources).map((named) => [named.name, sourceTreeOf(named, sources)]),
  )
}
