import type {SourceFiles} from './source-files.js'

/** Files as the engine reads them by itself. */
export function typedFiles(files: SourceFiles): string {
  switch (files.format) {
    case 'parquet':
      return reader(
        'read_parquet',
        files,
        files.several ? ['union_by_name = true', 'hive_partitioning = true'] : [],
      )
    case 'csv':
      return csvFiles(files, [])
    case 'json':
      return jsonFiles(files, [])
    default:
      return files.format satisfies never
  }
}

/** A first line of names; quoted empty text is text; dates are ISO dates and nothing like 01/02/2024. */
export function csvFiles(files: SourceFiles, options: readonly string[]): string {
  return reader('read_csv', files, [
    'header = true',
    // Else the engine decides by the first rows whether quotes are part of values.
    `quote = '"'`,
    `escape = '"'`,
    'allow_quoted_nulls = false',
    `dateformat = '%Y-%m-%d'`,
    ...(files.several ? ['union_by_name = true', 'hive_partitioning = true'] : []),
    ...options,
  ])
}

export function jsonFiles(files: SourceFiles, options: readonly string[]): string {
  return reader('read_json', files, [
    ...(files.several ? ['union_by_name = true', 'hive_partitioning = true'] : []),
    ...options,
  ])
}

function reader(name: string, {argument}: SourceFiles, options: readonly string[]): string {
  return `${name}(${[argument, ...options].join(', ')})`
}
