import {sourceTreeOf} from '../compile/feature-rows.js'
import type {SourceTree} from '../compile/query.js'
import type {ValueType} from '../definitions/value-type.js'
import {FeatureStoreError} from '../errors.js'
import type {ProblemList} from './problem-list.js'
import type {RepoIndex} from './repo-index.js'

/** A column of a real source; `valueType` is absent when no value type can hold it. */
export interface DescribedColumn {
  readonly name: string
  readonly nativeType: string
  readonly valueType?: ValueType
}

/** Looks at a real source, with its field mapping applied. */
export type DescribeSource = (tree: SourceTree) => Promise<readonly DescribedColumn[]>

/** Sources looked at side by side: enough to hide latency, few enough for one machine. */
const concurrency = 4

/**
 * The columns of every source, by name, each looked at once. One that can't be read is a problem at its own place and
 * is left out.
 */
export async function describeSources(
  index: RepoIndex,
  unusable: ReadonlySet<string>,
  describeSource: DescribeSource,
  problems: ProblemList,
): Promise<ReadonlyMap<string, readonly DescribedColumn[]>> {
  const sources = index.sources()
  const described = new Map<string, readonly DescribedColumn[]>()
  const queue = index.list('data_source').filter(({definition}) => !unusable.has(definition.name))
  const next = async (): Promise<void> => {
    for (let loaded = queue.shift(); loaded !== undefined; loaded = queue.shift()) {
      const {name} = loaded.definition
      try {
        described.set(name, await describeSource(sourceTreeOf(loaded.definition, sources)))
      } catch (error) {
        if (!(error instanceof FeatureStoreError)) throw error
        problems.add(error.code, loaded, [placeOf(loaded.definition)], error.message, error.hint)
      }
    }
  }
  await Promise.all(Array.from({length: concurrency}, next))
  return described
}

function placeOf(source: object): string {
  return ['query', 'path', 'table'].find((setting) => setting in source) ?? 'name'
}
