import {
  BatchCreatePartitionCommand,
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  GlueClient,
  type Column,
  type SerDeInfo,
} from '@aws-sdk/client-glue'

const parquet = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  SerdeInfo: {SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'},
}
const text = 'org.apache.hadoop.mapred.TextInputFormat'

/** How those who write to a catalog say the format of a table. */
export const glueFormats = {
  parquet,
  json: {InputFormat: text, SerdeInfo: {SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe'}},
  csv: {
    InputFormat: text,
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
      Parameters: {separatorChar: ';', quoteChar: '"'},
    },
  },
  tabs: {
    InputFormat: text,
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
      Parameters: {'field.delim': '\t'},
    },
  },
  orc: {
    InputFormat: 'org.apache.hadoop.hive.ql.io.orc.OrcInputFormat',
    SerdeInfo: {SerializationLibrary: 'org.apache.hadoop.hive.ql.io.orc.OrcSerde'},
  },
  hudi: {
    InputFormat: 'org.apache.hudi.hadoop.HoodieParquetInputFormat',
    SerdeInfo: {SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'},
  },
} as const

/** A catalog to make tables in, of one database. */
export class GlueTables {
  readonly #client: GlueClient
  readonly #database: string

  private constructor(client: GlueClient, database: string) {
    this.#client = client
    this.#database = database
  }

  static async create(url: string, database: string): Promise<GlueTables> {
    const client = new GlueClient({
      endpoint: url,
      region: 'us-east-1',
      credentials: {accessKeyId: 'test', secretAccessKey: 'test'},
    })
    await client.send(new CreateDatabaseCommand({DatabaseInput: {Name: database}}))
    return new GlueTables(client, database)
  }

  /** `columns`: name and type, as the catalog writes it. */
  async table(
    name: string,
    {
      location,
      format,
      columns,
      keys = {},
      parameters = {},
      serde = {},
    }: {
      readonly location: string
      readonly format?: keyof typeof glueFormats
      readonly columns: Readonly<Record<string, string>>
      readonly keys?: Readonly<Record<string, string>>
      readonly parameters?: Readonly<Record<string, string>>
      /** More parameters of what reads and writes the format. */
      readonly serde?: Readonly<Record<string, string>>
    },
  ): Promise<void> {
    const storage = format === undefined ? undefined : glueFormats[format]
    const {SerdeInfo} = storage ?? {}
    await this.#client.send(
      new CreateTableCommand({
        DatabaseName: this.#database,
        TableInput: {
          Name: name,
          TableType: 'EXTERNAL_TABLE',
          Parameters: {...parameters},
          PartitionKeys: columnsOf(keys),
          StorageDescriptor: {
            Location: location,
            Columns: columnsOf(columns),
            ...storage,
            ...(SerdeInfo === undefined ? {} : {SerdeInfo: withParameters(SerdeInfo, serde)}),
          },
        },
      }),
    )
  }

  async partition(table: string, values: readonly string[], location: string): Promise<void> {
    await this.#client.send(
      new CreatePartitionCommand({
        DatabaseName: this.#database,
        TableName: table,
        PartitionInput: {Values: [...values], StorageDescriptor: {Location: location}},
      }),
    )
  }

  async partitions(
    table: string,
    partitions: readonly {readonly values: readonly string[]; readonly location: string}[],
  ): Promise<void> {
    // https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html: at most 100.
    for (let at = 0; at < partitions.length; at += 100) {
      const PartitionInputList = partitions
        .slice(at, at + 100)
        .map(({values, location}) => ({Values: [...values], StorageDescriptor: {Location: location}}))
      await this.#client.send(
        new BatchCreatePartitionCommand({
          DatabaseName: this.#database,
          TableName: table,
          PartitionInputList,
        }),
      )
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function withParameters(info: SerDeInfo, more: Readonly<Record<string, string>>): SerDeInfo {
  return {...info, Parameters: {...info.Parameters, ...more}}
}

function columnsOf(columns: Readonly<Record<string, string>>): Column[] {
  return Object.entries(columns).map(([Name, Type]) => ({Name, Type}))
}
