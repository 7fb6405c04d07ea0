/** What a store that speaks CQL can do, where they differ. */
export interface StoreAbilities {
  /**
   * Takes write timestamps of any age. Then a row that is older than what is there is dead when it arrives; without it,
   * it stays behind the newer one, unseen, until the next newer write.
   */
  readonly anyWriteTimestamp: boolean
  /** Clauses of CREATE TABLE, besides the order of rows. */
  readonly tableOptions: readonly string[]
  /** CREATE TABLE and ALTER TABLE answer before they are done; the table of this name tells when. */
  readonly schemaStatusTable?: string
}

export const cassandraAbilities: StoreAbilities = {anyWriteTimestamp: true, tableOptions: []}
