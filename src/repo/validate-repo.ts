import {collectDefinitions, type Definitions, type FeatureView} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'
import {checkSourceColumns, checkViewColumns} from './check-columns.js'
import {checkNames} from './check-names.js'
import {checkReserved, type ReservedNames} from './check-reserved.js'
import {checkServices} from './check-services.js'
import {checkSources} from './check-sources.js'
import {checkViews} from './check-views.js'
import {describeSources, type DescribeSource} from './describe-sources.js'
import {ProblemList} from './problem-list.js'
import type {RepoContents} from './repo-contents.js'
import {RepoIndex} from './repo-index.js'

/**
 * Resolves names and checks every definition against its real source. Returns the definitions with inferred schemas
 * filled in; throws FS_VALIDATION_FAILED with all problems, in the order of files and lines.
 */
export async function validateRepo(
  contents: RepoContents,
  describeSource: DescribeSource,
  reserved?: ReservedNames,
): Promise<Definitions> {
  const index = new RepoIndex(contents)
  const problems = new ProblemList(contents.problems)
  checkNames(index, problems)
  checkViews(index, problems)
  const unusable = checkSources(index, problems)
  const described = await describeSources(index, unusable, describeSource, problems)

  for (const loaded of index.list('data_source')) {
    const columns = described.get(loaded.definition.name)
    if (columns !== undefined) checkSourceColumns(loaded, columns, problems)
  }
  const views = new Map<string, FeatureView>()
  for (const loaded of index.list('feature_view')) {
    const view = loaded.definition
    const source = index.find('data_source', view.source)
    const columns = described.get(view.source)
    if (source !== undefined && columns !== undefined) {
      const finished = checkViewColumns(loaded, source, columns, index, problems)
      if (finished !== undefined) views.set(view.name, finished)
    } else if (view.schema.length > 0) views.set(view.name, view)
    if (reserved !== undefined) checkReserved(loaded, views.get(view.name) ?? view, index, reserved, problems)
  }
  checkServices(index, views, problems)

  const found = problems.sorted()
  if (found.length > 0) {
    throw new FeatureStoreError(
      'FS_VALIDATION_FAILED',
      found.length === 1 ? 'The repo has 1 problem.' : `The repo has ${found.length} problems.`,
      {problems: found},
    )
  }
  return collectDefinitions(
    contents.definitions.map(({definition}) =>
      definition.kind === 'feature_view' ? (views.get(definition.name) ?? definition) : definition,
    ),
  )
}
