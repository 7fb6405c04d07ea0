import type {Path} from '../config/check-schema.js'
import {didYouMean, listNames} from '../definitions/nearest-name.js'
import type {DataSource, FeatureView, Field} from '../definitions/definition.js'
import {assignability} from '../definitions/type-compatibility.js'
import type {ValueType} from '../definitions/value-type.js'
import type {DescribedColumn} from './describe-sources.js'
import type {ProblemList} from './problem-list.js'
import type {LoadedDefinition} from './repo-contents.js'
import type {RepoIndex} from './repo-index.js'

/** Checks that a source has the columns its definition names, with times that are times. */
export function checkSourceColumns(
  loaded: LoadedDefinition<DataSource>,
  columns: readonly DescribedColumn[],
  problems: ProblemList,
): void {
  const source = loaded.definition
  for (const [from, to] of Object.entries(source.fieldMapping ?? {})) {
    if (columns.some(({name}) => name === to)) continue
    problems.add(
      'FS_SOURCE_MISMATCH',
      loaded,
      ['field_mapping', from],
      missing(`column \`${from}\``, source, columns),
      suggest(from, columns),
    )
  }
  const times = [
    {path: ['timestamp_field'], name: source.timestampField},
    {path: ['created_timestamp_column'], name: source.createdTimestampColumn},
  ]
  for (const {path, name} of times) {
    if (name === undefined) continue
    const column = columns.find((one) => one.name === name)
    if (column === undefined) {
      problems.add(
        'FS_SOURCE_MISMATCH',
        loaded,
        path,
        missing(`column \`${name}\``, source, columns),
        suggest(name, columns),
      )
    } else if (!isTime(column.valueType)) {
      problems.add(
        'FS_SOURCE_MISMATCH',
        loaded,
        path,
        `column \`${name}\` is ${column.nativeType} in the source. Expected a timestamp or a date.`,
        'Name another column, or cast it in a query source.',
      )
    }
  }
}

/**
 * Checks keys and features of a view against the columns of its source. Returns the view with its schema, inferred
 * where it was absent; undefined when it could not be finished.
 */
export function checkViewColumns(
  loaded: LoadedDefinition<FeatureView>,
  source: DataSource,
  columns: readonly DescribedColumn[],
  index: RepoIndex,
  problems: ProblemList,
): FeatureView | undefined {
  const view = loaded.definition
  const keys = index.joinKeys(view)
  keys?.forEach(({name, valueType, entity}) => {
    const place = ['entities', view.entities.indexOf(entity)]
    checkColumn(
      loaded,
      place,
      `join key \`${name}\` of entity \`${entity}\``,
      {name, valueType},
      source,
      columns,
      problems,
    )
  })
  if (view.schema.length > 0) {
    view.schema.forEach((field, at) =>
      checkColumn(loaded, ['schema', at], `feature \`${field.name}\``, field, source, columns, problems),
    )
    return view
  }
  if (keys === undefined) return undefined
  const schema = inferSchema(loaded, source, columns, new Set(keys.map(({name}) => name)), problems)
  return schema === undefined ? undefined : Object.freeze({...view, schema: Object.freeze(schema)})
}

function checkColumn(
  loaded: LoadedDefinition,
  path: Path,
  what: string,
  wanted: {readonly name: string; readonly valueType: ValueType},
  source: DataSource,
  columns: readonly DescribedColumn[],
  problems: ProblemList,
): void {
  const column = columns.find(({name}) => name === wanted.name)
  if (column === undefined) {
    problems.add(
      'FS_SOURCE_MISMATCH',
      loaded,
      path,
      missing(what, source, columns),
      suggest(wanted.name, columns),
    )
  } else if (column.valueType === undefined || assignability(column.valueType, wanted.valueType) === 'no') {
    const fitting = column.valueType === undefined ? '' : `, which fits ${column.valueType}`
    problems.add(
      'FS_SOURCE_MISMATCH',
      loaded,
      path[0] === 'schema' ? [...path, 'dtype'] : path,
      `${what} is declared as ${wanted.valueType}, but the column is ${column.nativeType} in source \`${source.name}\`${fitting}.`,
      column.valueType === undefined
        ? 'Cast the column in a query source.'
        : `Declare it as ${column.valueType}, or cast the column in a query source.`,
    )
  }
}

function inferSchema(
  loaded: LoadedDefinition<FeatureView>,
  source: DataSource,
  columns: readonly DescribedColumn[],
  keys: ReadonlySet<string>,
  problems: ProblemList,
): readonly Field[] | undefined {
  const left = columns.filter(
    ({name}) => !keys.has(name) && name !== source.timestampField && name !== source.createdTimestampColumn,
  )
  const fields: Field[] = []
  const declare = 'Declare a `schema` with the features you want.'
  if (left.length === 0) {
    problems.add(
      'FS_SOURCE_MISMATCH',
      loaded,
      [],
      `source \`${source.name}\` has no column left to be a feature.`,
      declare,
    )
    return undefined
  }
  for (const {name, nativeType, valueType} of left) {
    if (valueType === undefined)
      problems.add(
        'FS_SOURCE_MISMATCH',
        loaded,
        [],
        `no schema is declared, and column \`${name}\` of source \`${source.name}\` is ${nativeType}, which no type of a feature holds.`,
        declare,
      )
    else if (!/^(?!.*__)[A-Za-z_]\w{0,127}$/.test(name) || name.toLowerCase() === 'event_timestamp')
      problems.add(
        'FS_SOURCE_MISMATCH',
        loaded,
        [],
        `no schema is declared, and column \`${name}\` of source \`${source.name}\` can't be the name of a feature.`,
        `${declare} A \`field_mapping\` of the source gives a column another name.`,
      )
    else fields.push(Object.freeze({name, valueType}))
  }
  return fields.length === left.length ? fields : undefined
}

function isTime(type: ValueType | undefined): boolean {
  return type === 'timestamp' || type === 'date'
}

function missing(what: string, source: DataSource, columns: readonly DescribedColumn[]): string {
  const names = columns.map(({name}) => name)
  return `${what} is not in source \`${source.name}\` (columns: ${listNames(names)}).`
}

function suggest(name: string, columns: readonly DescribedColumn[]): string {
  const names = columns.map((column) => column.name)
  return didYouMean(name, names) ?? 'Name a column of the source, or map one to this name by `field_mapping`.'
}
