/**
 * The embedded online store: one LMDB environment for each project, read by any number of processes while one at a
 * time writes. Keys are a table's number and the entity key; values are packed rows (`row-codec.ts`).
 *
 * LMDB writes to pages that no reader uses and then switches over, so a reader sees all of a transaction or nothing,
 * and a killed process leaves the last committed state: http://www.lmdb.tech/doc/
 */
import {join, resolve} from 'node:path'
import type {Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import {appendKey, appendKeyFromColumns} from '../entity-key.js'
import {GrowingBytes} from '../growing-bytes.js'
import {NotedLoads, type LoadNumbers} from '../load-number.js'
import type {
  OnlineRow,
  OnlineRows,
  OnlineStore,
  OnlineStoreDriver,
  OnlineTable,
  ReadRequest,
  RemovedRows,
  WriteResult,
} from '../online-store.js'
import type {SharedNote, SharedNotes} from '../shared-note.js'
import {
  isAsOldAs,
  mayReplace,
  readEventTimestamp,
  readSchemaId,
  RowEncoder,
  DecoderCache,
  type RowDecoder,
} from '../row-codec.js'
import {
  emptyCatalog,
  formatCatalog,
  parseCatalog,
  schemaIdOf,
  withoutTables,
  withTable,
  type TableCatalog,
  type TableRecord,
} from './table-catalog.js'
import {examineFolder} from '../../examine-folder.js'
import type {Examination} from '../../examination.js'
import {catalogKey, countKey, identityKey, loadKey, runsKey, startKey} from './embedded-keys.js'
import {EmbeddedNote} from './embedded-note.js'
import {hasEnvironment, makeFolder, openEnvironment, type Environment} from './open-environment.js'
import {removeRange} from './remove-range.js'

/** LMDB's limit for pages of 4 KiB; longer keys are refused row by row. */
const longestKey = 1978

export const embeddedDriver: OnlineStoreDriver = {
  async open({settings, project, repoDirectory, access}) {
    const path = join(resolve(repoDirectory, settings['path'] as string), project)
    if (access === 'write') await makeFolder(path)
    return new EmbeddedOnlineStore(path, access)
  },
}

export class EmbeddedOnlineStore implements OnlineStore {
  readonly writeOrder = 'key'
  readonly isPaced = false
  readonly notes: SharedNotes
  readonly loads: LoadNumbers
  readonly #path: string
  readonly #access: 'read' | 'write'
  #environment: Environment | undefined
  #isClosed = false
  #catalog: TableCatalog = emptyCatalog
  /** As it was read: parsing it takes longer than a read. */
  #catalogBytes: Buffer = Buffer.alloc(0)
  readonly #decoders = new DecoderCache()
  readonly #key = new GrowingBytes()

  constructor(path: string, access: 'read' | 'write') {
    this.#path = path
    this.#access = access
    const note = (key: Buffer): SharedNote =>
      new EmbeddedNote(
        key,
        () => {
          this.#checkOpen()
          return this.#environment
        },
        () => this.#writable(),
      )
    this.notes = {runs: note(runsKey), identity: note(identityKey)}
    this.loads = new NotedLoads((table) => note(loadKey(table)))
    this.#open()
  }

  async prepare(tables: readonly OnlineTable[]): Promise<void> {
    const environment = this.#writable()
    await environment.transaction(() => {
      this.#changeCatalog((catalog) => tables.reduce(withTable, catalog))
    })
    await environment.flushed
    await this.#removeDropped()
  }

  examine(): Examination {
    return examineFolder(this.#path)
  }

  async drop(tables: readonly string[]): Promise<void> {
    const environment = this.#writable()
    await environment.transaction(() => {
      this.#changeCatalog((catalog) => withoutTables(catalog, tables))
      for (const table of tables) environment.removeSync(loadKey(table))
    })
    await environment.flushed
    await this.#removeDropped()
  }

  /** Rows are packed. */
  nameForOthers(): undefined {
    return undefined
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as the interface wants it
  async listTables(): Promise<readonly string[]> {
    this.#refreshCatalog()
    return Object.keys(this.#catalog.tables).sort()
  }

  async write(table: OnlineTable, rows: OnlineRows): Promise<WriteResult> {
    const environment = this.#writable()
    const rejected: {row: number; reason: string}[] = []
    let unchanged = 0
    await environment.transaction(() => {
      // In the transaction, where no other process can change it.
      this.#refreshCatalog()
      const {record, schemaId} = this.#prepared(table)
      const encoder = new RowEncoder(schemaId, table.features, rows)
      const key = this.#key
      let added = 0
      // Where the row before was a new one, this one likely is too: putting it only if it is new saves a look-up.
      let mostlyNew = this.#readCount(record) === 0
      for (let row = 0; row < rows.rowCount; row += 1) {
        startKey(key, record.id)
        appendKeyFromColumns(key, rows.keys, row)
        if (key.length > longestKey) {
          rejected.push({row, reason: `its key takes ${key.length} bytes, and ${longestKey} is the most`})
          continue
        }
        const id = key.written
        const value = encoder.encode(row)
        if (mostlyNew && putIfNew(environment, id, value)) {
          added += 1
          continue
        }
        // Lent: a larger buffer with its length overwritten, good until the next get.
        const stored = environment.getBinaryFast(id)
        mostlyNew = stored === undefined
        if (stored === undefined) added += 1
        else if (!mayReplace(value, stored) || value.compare(stored, 0, stored.length) === 0) {
          unchanged += 1
          continue
        }
        environment.putSync(id, value)
      }
      if (added > 0) this.#addToCount(record, added)
    })
    await environment.flushed
    return {written: rows.rowCount - unchanged - rejected.length, unchanged, rejected}
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- LMDB answers at once; what it throws must reject
  async read(requests: readonly ReadRequest[]): Promise<readonly (readonly (OnlineRow | undefined)[])[]> {
    // The client keeps a snapshot for a while; a request sees all that was committed before it.
    this.#environment?.resetReadTxn()
    return requests.map((request) => this.#readOne(request))
  }

  async remove(table: OnlineTable, rows: RemovedRows): Promise<number> {
    const environment = this.#writable()
    let left = 0
    await environment.transaction(() => {
      this.#refreshCatalog()
      const {record} = this.#prepared(table)
      const key = this.#key
      let removed = 0
      for (let row = 0; row < rows.rowCount; row += 1) {
        startKey(key, record.id)
        appendKeyFromColumns(key, rows.keys, row)
        if (key.length > longestKey) continue
        const id = key.written
        const stored = environment.getBinaryFast(id)
        if (stored === undefined) continue
        if (!isAsOldAs(stored, rows, row)) {
          left += 1
          continue
        }
        environment.removeSync(id)
        removed += 1
      }
      if (removed > 0) this.#addToCount(record, -removed)
    })
    await environment.flushed
    return rows.rowCount - left
  }

  /** What was flushed outlives the process. */
  volatileServers(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as the interface wants it
  async countRows(table: OnlineTable): Promise<number | undefined> {
    this.#refreshCatalog()
    const record = this.#catalog.tables[table.name]
    return record === undefined ? 0 : this.#readCount(record)
  }

  async removeExpired(table: OnlineTable, before: Instant): Promise<number> {
    const environment = this.#writable()
    this.#refreshCatalog()
    const record = this.#catalog.tables[table.name]
    if (record === undefined) return 0
    return removeRange(environment, record.id, {
      wanted: (row) => readEventTimestamp(row) < before,
      removed: (removed) => {
        this.#refreshCatalog()
        const current = this.#catalog.tables[table.name]
        if (current?.id === record.id) this.#addToCount(record, -removed)
      },
    }).finally(() => environment.flushed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const environment = this.#environment
    this.#environment = undefined
    this.#isClosed = true
    await environment?.close()
  }

  #open(): void {
    // A reader of a store that nothing was written to yet has nothing to open, and asks again at the next read.
    if (this.#access === 'read' && !hasEnvironment(this.#path)) return
    this.#environment = openEnvironment(this.#path, this.#access)
    this.#refreshCatalog()
  }

  #writable(): Environment {
    if (this.#environment !== undefined && this.#access === 'write') return this.#environment
    throw new Error('the embedded online store was opened to read, or is closed')
  }

  #readOne({table, keys, features}: ReadRequest): readonly (OnlineRow | undefined)[] {
    const before = this.#catalog.tables[table.name]?.id
    const rows = this.#lookUp(table, keys, features)
    // A table may have been dropped, or made, by another process since the catalog was read.
    if (rows !== undefined && !rows.includes(undefined)) return rows
    this.#refreshCatalog()
    if (this.#catalog.tables[table.name]?.id === before) return rows ?? keys.map(() => undefined)
    return this.#lookUp(table, keys, features) ?? keys.map(() => undefined)
  }

  /** Undefined when there is no such table. */
  #lookUp(
    table: OnlineTable,
    keys: ReadRequest['keys'],
    features: readonly string[],
  ): (OnlineRow | undefined)[] | undefined {
    const record = this.#catalog.tables[table.name]
    const environment = this.#environment
    if (record === undefined || environment === undefined) return undefined
    const key = this.#key
    return keys.map((entity) => {
      startKey(key, record.id)
      appendKey(key, table.joinKeys, entity)
      if (key.length > longestKey) return undefined
      const id = key.written
      const row = environment.getBinaryFast(id)
      if (row === undefined) return undefined
      const decoder = this.#decoder(table.name, readSchemaId(row), features)
      if (decoder !== undefined) return decoder.decode(row)
      // Written after the catalog was read; reading that anew overwrites the row, which was lent.
      this.#refreshCatalog()
      if (this.#catalog.tables[table.name]?.id !== record.id) return undefined
      return this.#decodeAgain(environment, id, table, features)
    })
  }

  #decodeAgain(
    environment: Environment,
    id: Buffer,
    table: OnlineTable,
    features: readonly string[],
  ): OnlineRow | undefined {
    const row = environment.getBinaryFast(id)
    if (row === undefined) return undefined
    const schemaId = readSchemaId(row)
    const decoder = this.#decoder(table.name, schemaId, features)
    if (decoder === undefined) throw new Error(`table ${table.name} has no schema ${schemaId}`)
    return decoder.decode(row)
  }

  #decoder(table: string, schemaId: number, features: readonly string[]): RowDecoder | undefined {
    const schema = this.#catalog.tables[table]?.schemas[schemaId]
    return schema === undefined ? undefined : this.#decoders.get(schema, features)
  }

  #prepared(table: OnlineTable): {record: TableRecord; schemaId: number} {
    const record = this.#catalog.tables[table.name]
    const schemaId = record === undefined ? undefined : schemaIdOf(record, table)
    if (record !== undefined && schemaId !== undefined) return {record, schemaId}
    throw new FeatureStoreError(
      'FS_VIEW_CHANGED',
      `Online table ${table.name} of feature_view/${table.view} is gone or has another schema.`,
      {hint: 'Something else was applied meanwhile: run `fs apply`, then load the view again.'},
    )
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Error('the embedded online store is closed')
  }

  #refreshCatalog(): void {
    this.#checkOpen()
    if (this.#environment === undefined && this.#access === 'read') return this.#open()
    const bytes = this.#environment?.getBinary(catalogKey) ?? Buffer.alloc(0)
    if (bytes.equals(this.#catalogBytes)) return
    this.#catalog = bytes.length === 0 ? emptyCatalog : parseCatalog(bytes)
    this.#catalogBytes = bytes
  }

  /** Only within a transaction. */
  #changeCatalog(change: (catalog: TableCatalog) => TableCatalog): void {
    this.#refreshCatalog()
    const changed = change(this.#catalog)
    if (changed === this.#catalog) return
    const bytes = formatCatalog(changed)
    this.#writable().putSync(catalogKey, bytes)
    this.#catalog = changed
    this.#catalogBytes = bytes
  }

  /** Also finishes what a killed process began. */
  async #removeDropped(): Promise<void> {
    for (const id of this.#catalog.dropping) {
      await removeRange(this.#writable(), id, {wanted: () => true})
      await this.#writable().transaction(() => {
        this.#writable().removeSync(countKey(id))
        this.#changeCatalog((catalog) => ({
          ...catalog,
          dropping: catalog.dropping.filter((one) => one !== id),
        }))
      })
    }
    await this.#writable().flushed
  }

  #readCount(record: TableRecord): number {
    const bytes = this.#environment?.getBinary(countKey(record.id))
    return bytes === undefined ? 0 : Number(bytes.readBigInt64LE(0))
  }

  /** Only within a transaction. */
  #addToCount(record: TableRecord, added: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(this.#readCount(record) + added))
    this.#writable().putSync(countKey(record.id), bytes)
  }
}

/** Only within a transaction. False, and nothing done, where the key is there; the client's types say void. */
function putIfNew(environment: Environment, key: Buffer, value: Buffer): boolean {
  const client: {putSync(key: Buffer, value: Buffer, options: {noOverwrite: true}): unknown} = environment
  return client.putSync(key, value, {noOverwrite: true}) === true
}
