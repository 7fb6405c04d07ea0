import type {FeatureView} from '../definitions/definition.js'
import type {ProblemList} from './problem-list.js'
import type {LoadedDefinition} from './repo-contents.js'
import type {RepoIndex} from './repo-index.js'

/** Names that the tables of the online store have for themselves. */
export interface ReservedNames {
  /** As feature_store.yaml has it. */
  readonly storeType: string
  readonly columns: readonly string[]
}

/** Checks that no column of an online view, whose schema is complete, has a name of the store's own. */
export function checkReserved(
  loaded: LoadedDefinition<FeatureView>,
  finished: FeatureView,
  index: RepoIndex,
  {storeType, columns}: ReservedNames,
  problems: ProblemList,
): void {
  if (!finished.online) return
  const why = `online tables of type ${storeType} have themselves. Expected another name.`
  for (const {name} of finished.schema) {
    if (!columns.includes(name)) continue
    const at = loaded.definition.schema.findIndex((field) => field.name === name)
    problems.add(
      'FS_DEFINITION_INVALID',
      loaded,
      at === -1 ? ['source'] : ['schema', at, 'name'],
      `feature \`${name}\` is named as a column that ${why}`,
      'Rename it in the source, by a query or a field mapping, or leave it out of the schema.',
    )
  }
  for (const {name, entity} of index.joinKeys(finished) ?? []) {
    if (!columns.includes(name)) continue
    problems.add(
      'FS_DEFINITION_INVALID',
      loaded,
      ['entities', loaded.definition.entities.indexOf(entity)],
      `join key \`${name}\` of entity \`${entity}\` is named as a column that ${why}`,
      'Rename the join key, and map the column of the source to it with a field mapping.',
    )
  }
}
