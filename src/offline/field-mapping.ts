import type {ReadableSource} from '../compile/source-rows.js'
import type {DataSource} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'

/**
 * A source's columns under the names that definitions use; `inEngine` is how its engine writes a name. A mapping of a column
 * that is not there is told by validation. Throws FS_SOURCE_MISMATCH where two would have one name.
 */
export function withFieldMapping(
  source: DataSource,
  readable: ReadableSource,
  inEngine: (name: string) => string = (name) => name,
): ReadableSource {
  const {dialect, relation, columns} = readable
  const names = new Map(
    Object.entries(source.fieldMapping ?? {}).map(([from, to]) => [inEngine(from), to] as const),
  )
  const mapped = columns.map(({name, nativeType}) => ({
    name: names.get(name) ?? name,
    from: name,
    nativeType,
  }))
  if (mapped.every(({name, from}) => name === from)) return readable
  const seen = new Map<string, string>()
  for (const {name, from} of mapped) {
    const other = seen.get(name.toLowerCase())
    if (other !== undefined)
      throw new FeatureStoreError(
        'FS_SOURCE_MISMATCH',
        `Data source \`${source.name}\`: columns \`${other}\` and \`${from}\` would both be named \`${name}\`.`,
        {hint: 'Map one of them to another name by `field_mapping`.'},
      )
    seen.set(name.toLowerCase(), from)
  }
  const selected = mapped.map(({name, from}) => `${dialect.quoteName(from)} AS ${dialect.quoteName(name)}`)
  return {
    dialect,
    relation: `(SELECT ${selected.join(', ')} FROM ${relation} AS unmapped)`,
    columns: mapped.map(({name, nativeType}) => ({name, nativeType})),
  }
}
