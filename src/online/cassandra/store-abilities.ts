/** What a store that speaks CQL can do, where they differ. */
export interface StoreAbilities {
  /**
   * Takes write timestamps of any age. Then a row that is older than what is there is dead when it arrives; without it,
   * it stays behind the newer one, unseen, until the next newer write.
   */
  readonly anyWriteTimestamp: boolean
  /**
   * Applies a batch for one partition as one. Without it a row is written first and the one before it is removed by a
   * request of its own, where a read has shown that there is one: a read costs a tenth of a write, and as long as both
   * rows are there, the newer one is read.
   */
  readonly atomicBatch: boolean
  /** Of all parts together; one that is longer is refused. */
  readonly longestKeyBytes: number
  /** Of all values of a row. */
  readonly largestRowBytes: number
  /** Clauses of CREATE TABLE, besides the order of rows. */
  readonly tableOptions: readonly string[]
  /** Where it is told whether CREATE TABLE and ALTER TABLE, which answer before they are done, are. */
  readonly schemaStatusTable?: string
}

export const cassandraAbilities: StoreAbilities = {
  anyWriteTimestamp: true,
  atomicBatch: true,
  // https://cassandra.apache.org/doc/latest/cassandra/reference/cql-commands/create-table.html
  longestKeyBytes: 65_535,
  // `max_mutation_size`, as it ships, is 16 MiB: half of a segment of the commit log. Names, key and times come on top.
  // https://cassandra.apache.org/doc/latest/cassandra/managing/configuration/cass_yaml_file.html
  largestRowBytes: 15 * 1024 * 1024,
  tableOptions: [],
}

/** https://docs.aws.amazon.com/keyspaces/latest/devguide/functional-differences.html */
export const keyspacesAbilities: StoreAbilities = {
  // Two days back at most, and only on tables that opted in for good.
  anyWriteTimestamp: false,
  atomicBatch: false,
  // https://docs.aws.amazon.com/keyspaces/latest/devguide/quotas.html
  longestKeyBytes: 2048,
  largestRowBytes: 1_000_000,
  // https://docs.aws.amazon.com/keyspaces/latest/devguide/TTL-how-it-works.html
  tableOptions: ["CUSTOM_PROPERTIES = {'ttl': {'status': 'enabled'}}"],
  schemaStatusTable: 'system_schema_mcs.tables',
}
