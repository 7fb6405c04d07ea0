import type {GlueClient, Partition, Table} from '@aws-sdk/client-glue'
import {awsClientSettings, environmentRegion} from '../../aws/client-settings.js'
import type {GlueSource} from '../../definitions/definition.js'
import {parseCatalogTable, plainLocation, type CatalogTable} from './catalog-table.js'
import {glueError} from './glue-error.js'

/** Whose catalog, and as whom it is read. */
export type GlueAccess = Pick<GlueSource, 'catalogId' | 'roleArn'>

export interface CatalogPartition {
  /** Of the partition keys, in their order. */
  readonly values: readonly string[]
  /** As that of the table; it need not lie in the table's. */
  readonly location: string
}

/**
 * A Glue Data Catalog. Its client is loaded and made at the first question. Throws FS_SOURCE_UNREADABLE where something
 * is not there or may not be read, FS_STORE_UNAVAILABLE where the catalog does not answer or refuses more requests.
 */
export class GlueCatalog {
  readonly #access: GlueAccess
  #client: Promise<GlueClient> | undefined

  constructor(access: GlueAccess) {
    this.#access = access
  }

  async table(database: string, name: string): Promise<CatalogTable> {
    const {GetTableCommand} = await import('@aws-sdk/client-glue')
    const {Table: table} = await this.#ask('GetTable', `${database}.${name}`, (client) =>
      client.send(new GetTableCommand({...this.#catalog, DatabaseName: database, Name: name})),
    )
    if (table === undefined) throw new Error(`GetTable of ${database}.${name} gave no table`)
    return parseCatalogTable(table)
  }

  /** All tables of a database, by name. */
  async tables(database: string): Promise<readonly CatalogTable[]> {
    const {GetTablesCommand} = await import('@aws-sdk/client-glue')
    const found: Table[] = []
    let token: string | undefined
    do {
      const page = await this.#ask('GetTables', database, (client) =>
        client.send(new GetTablesCommand({...this.#catalog, DatabaseName: database, NextToken: token})),
      )
      found.push(...(page.TableList ?? []))
      token = page.NextToken
    } while (token !== undefined)
    return found
      .map(parseCatalogTable)
      .toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
  }

  /** Partitions of a table that the expression fits; see `partitionExpression`. */
  async partitions(
    {database, name}: CatalogTable,
    expression: string | undefined,
  ): Promise<readonly CatalogPartition[]> {
    const {GetPartitionsCommand} = await import('@aws-sdk/client-glue')
    const found: Partition[] = []
    let token: string | undefined
    do {
      const page = await this.#ask('GetPartitions', `${database}.${name}`, (client) =>
        client.send(
          new GetPartitionsCommand({
            ...this.#catalog,
            DatabaseName: database,
            TableName: name,
            ...(expression === undefined ? {} : {Expression: expression}),
            // Each partition would repeat all columns of the table.
            ExcludeColumnSchema: true,
            NextToken: token,
          }),
        ),
      )
      found.push(...(page.Partitions ?? []))
      token = page.NextToken
    } while (token !== undefined)
    return found.map(({Values, StorageDescriptor}) => ({
      values: Values ?? [],
      location: plainLocation(StorageDescriptor?.Location ?? ''),
    }))
  }

  /** Lets its connections go. */
  close(): void {
    void this.#client?.then((client) => client.destroy())
  }

  get #catalog(): {readonly CatalogId?: string} {
    const {catalogId} = this.#access
    return catalogId === undefined ? {} : {CatalogId: catalogId}
  }

  async #ask<T>(operation: string, what: string, send: (client: GlueClient) => Promise<T>): Promise<T> {
    const {catalogId, roleArn} = this.#access
    const region = environmentRegion()
    this.#client ??= import('@aws-sdk/client-glue').then(
      ({GlueClient: Client}) =>
        new Client(awsClientSettings({region, ...(roleArn === undefined ? {} : {roleArn})})),
    )
    try {
      return await send(await this.#client)
    } catch (error) {
      throw glueError(error, {operation, what, region, catalogId, roleArn})
    }
  }
}
