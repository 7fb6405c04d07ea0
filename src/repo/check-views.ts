import type {DataSource, FeatureView} from '../definitions/definition.js'
import type {ProblemList} from './problem-list.js'
import type {LoadedDefinition} from './repo-contents.js'
import type {RepoIndex} from './repo-index.js'

/** Checks what views refer to, and that keys, times and features do not get in each other's way. */
export function checkViews(index: RepoIndex, problems: ProblemList): void {
  for (const loaded of index.list('feature_view')) {
    const view = loaded.definition
    view.entities.forEach((name, at) => {
      if (index.isUnknown('entity', name))
        problems.add(
          'FS_DEFINITION_UNKNOWN',
          loaded,
          ['entities', at],
          `there is no entity \`${name}\`.`,
          index.suggest('entity', name),
        )
    })
    if (index.isUnknown('data_source', view.source))
      problems.add(
        'FS_DEFINITION_UNKNOWN',
        loaded,
        ['source'],
        `there is no data source \`${view.source}\`.`,
        index.suggest('data_source', view.source),
      )
    checkKeys(loaded, index, problems)
    const source = index.find('data_source', view.source)
    if (source !== undefined) checkTimes(loaded, source, problems)
  }
}

function checkKeys(loaded: LoadedDefinition<FeatureView>, index: RepoIndex, problems: ProblemList): void {
  const keys = new Map<string, string>()
  for (const {name, entity} of index.joinKeys(loaded.definition) ?? []) {
    const earlier = keys.get(name.toLowerCase())
    if (earlier !== undefined && earlier !== entity)
      problems.add(
        'FS_DEFINITION_INVALID',
        loaded,
        ['entities', loaded.definition.entities.indexOf(entity)],
        `entities \`${earlier}\` and \`${entity}\` share the join key \`${name}\`. Expected join keys of their own.`,
        'Rename the join key of one of them, or use one entity with both keys.',
      )
    keys.set(name.toLowerCase(), entity)
  }
  loaded.definition.schema.forEach(({name}, at) => {
    const entity = keys.get(name.toLowerCase())
    if (entity !== undefined)
      problems.add(
        'FS_DEFINITION_INVALID',
        loaded,
        ['schema', at, 'name'],
        `feature \`${name}\` is also a join key of entity \`${entity}\`.`,
        'Remove it from the schema; join keys come with every answer.',
      )
  })
}

function checkTimes(loaded: LoadedDefinition<FeatureView>, source: DataSource, problems: ProblemList): void {
  const {schema, knowledgeTime} = loaded.definition
  const times = [source.timestampField, source.createdTimestampColumn].map((name) => name?.toLowerCase())
  schema.forEach(({name}, at) => {
    // A reserved name was told already.
    if (times.includes(name.toLowerCase()) && name.toLowerCase() !== 'event_timestamp')
      problems.add(
        'FS_DEFINITION_INVALID',
        loaded,
        ['schema', at, 'name'],
        `feature \`${name}\` is also a timestamp column of source \`${source.name}\`.`,
        'Remove it from the schema, or give the source a copy of the column under another name.',
      )
  })
  if (knowledgeTime && source.createdTimestampColumn === undefined)
    problems.add(
      'FS_DEFINITION_INVALID',
      loaded,
      ['knowledge_time'],
      `knowledge_time needs to know when a row was created, and source \`${source.name}\` has no created_timestamp_column.`,
      'Add created_timestamp_column to the source, or remove knowledge_time.',
    )
}
