/** A table as the Glue Data Catalog describes it, in the words of this project. */
import type {Table} from '@aws-sdk/client-glue'

export interface CatalogColumn {
  readonly name: string
  /** As the catalog writes it: `array<int>`. */
  readonly type: string
}

export type CatalogFormat =
  | {readonly kind: 'parquet'}
  | {
      readonly kind: 'csv'
      readonly delimiter: string
      readonly quote: string
      readonly escape: string
      readonly skip: number
      /** The text that stands for null; absent where none does. Besides, an empty text is null in what is no string. */
      readonly nullText?: string
    }
  | {readonly kind: 'json'}
  | {readonly kind: 'delta'}
  /** The metadata file that the last commit made the current one. */
  | {readonly kind: 'iceberg'; readonly metadata: string}
  /** What it is, for a message. */
  | {readonly kind: 'unreadable'; readonly name: string}

export interface CatalogTable {
  readonly database: string
  readonly name: string
  readonly format: CatalogFormat
  /** A folder: `s3://bucket/prefix`, without a slash at its end. */
  readonly location: string
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
}

/** Reads the catalog's answer. Crawlers, Athena, Spark and Hive each say the format in ways of their own. */
export function parseCatalogTable(table: Table): CatalogTable {
  const storage = table.StorageDescriptor ?? {}
  return {
    database: table.DatabaseName ?? '',
    name: table.Name ?? '',
    format: formatOf(table),
    location: plainLocation(storage.SerdeInfo?.Parameters?.['path'] ?? storage.Location ?? ''),
    columns: columnsOf(storage.Columns),
    partitionKeys: columnsOf(table.PartitionKeys),
  }
}

/** Hadoop's other names of S3 are those of its clients. */
export function plainLocation(location: string): string {
  return location.replace(/^s3[an]:\/\//i, 's3://').replace(/\/+$/, '')
}

function columnsOf(columns: NonNullable<Table['StorageDescriptor']>['Columns']): readonly CatalogColumn[] {
  return (columns ?? []).map(({Name, Type}) => ({name: Name ?? '', type: Type ?? ''}))
}

function formatOf({TableType, Parameters = {}, StorageDescriptor = {}}: Table): CatalogFormat {
  const {InputFormat = '', SerdeInfo = {}} = StorageDescriptor
  const serde = SerdeInfo.SerializationLibrary ?? ''
  const settings = SerdeInfo.Parameters ?? {}
  const tableType = (Parameters['table_type'] ?? '').toLowerCase()
  const provider = (Parameters['spark.sql.sources.provider'] ?? '').toLowerCase()
  const classification = (Parameters['classification'] ?? '').toLowerCase()
  const named = (name: string): boolean => [tableType, provider, classification].includes(name)

  if (TableType === 'VIRTUAL_VIEW') return {kind: 'unreadable', name: 'a view of Athena'}
  const metadata = Parameters['metadata_location']
  if (named('iceberg')) {
    return metadata === undefined
      ? {kind: 'unreadable', name: 'Iceberg without `metadata_location`'}
      : {kind: 'iceberg', metadata: plainLocation(metadata)}
  }
  if (named('delta')) return {kind: 'delta'}
  if (named('hudi') || /hudi/i.test(InputFormat)) return {kind: 'unreadable', name: 'Hudi'}
  if (/parquet/i.test(serde) || /parquet/i.test(InputFormat)) return {kind: 'parquet'}
  if (/orc/i.test(serde) || /\borc\b/i.test(InputFormat)) return {kind: 'unreadable', name: 'ORC'}
  if (/avro/i.test(serde) || /avro/i.test(InputFormat)) return {kind: 'unreadable', name: 'Avro'}
  if (/json/i.test(serde)) return {kind: 'json'}
  const skip = Number(Parameters['skip.header.line.count'] ?? settings['skip.header.line.count'] ?? 0)
  // Either place will do, and that of the table is the one that Hive gives its readers last.
  const nullText = Parameters['serialization.null.format'] ?? settings['serialization.null.format'] ?? '\\N'
  if (/OpenCSVSerde/i.test(serde)) {
    // To it each value is a text, and none stands for null: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    return {
      kind: 'csv',
      delimiter: settings['separatorChar'] ?? ',',
      quote: settings['quoteChar'] ?? '"',
      escape: settings['escapeChar'] ?? '\\',
      skip,
    }
  }
  if (/LazySimpleSerDe/i.test(serde)) {
    // It knows no quotes; Hive's own default between fields is the character 1.
    const delimiter = settings['field.delim'] ?? settings['serialization.format'] ?? '\u0001'
    return {
      kind: 'csv',
      delimiter: delimiter === '1' ? '\u0001' : delimiter,
      quote: '',
      escape: settings['escape.delim'] ?? '',
      skip,
      nullText,
    }
  }
  switch (classification) {
    case 'parquet':
    case 'json':
      return {kind: classification}
    case 'csv':
      return {kind: 'csv', delimiter: Parameters['delimiter'] ?? ',', quote: '"', escape: '"', skip, nullText}
    case 'orc':
      return {kind: 'unreadable', name: 'ORC'}
    default:
      return {
        kind: 'unreadable',
        name: serde || classification || InputFormat || 'a format that it does not say',
      }
  }
}
