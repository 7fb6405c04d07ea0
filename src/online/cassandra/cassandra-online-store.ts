/** The online store in Cassandra or Amazon Keyspaces: a table of native columns for each view (`table-layout.ts`). */
import type {types} from 'cassandra-driver'
import type {Examination} from '../../examination.js'
import {FeatureStoreError} from '../../errors.js'
import type {Instant} from '../../definitions/instant.js'
import type {Value} from '../../definitions/value-type.js'
import type {
  EntityKey,
  OnlineRow,
  OnlineRows,
  OnlineStore,
  OnlineStoreDriver,
  OnlineTable,
  ReadRequest,
  RemovedRows,
  RowLife,
  WriteFlow,
  WriteResult,
} from '../online-store.js'
import {NotedLoads, type LoadNumbers} from '../load-number.js'
import {plainPacer} from '../pacing/plain-pacer.js'
import type {WritePacer} from '../pacing/write-pacer.js'
import type {SharedNotes} from '../shared-note.js'
import {CassandraConnection, type Statement} from './cassandra-connection.js'
import {examineCassandra} from './examine-cassandra.js'
import {CassandraNote, loadNoteName} from './cassandra-note.js'
import {readCassandraSettings} from './cassandra-settings.js'
import {encodeInt64, encodeValue} from './cql-values.js'
import {isAboutStatement, statementFailure} from './driver-errors.js'
import {mapBounded} from './map-bounded.js'
import {encodeCells, encodeKeys, holdsSameCells, rowDecoder, type RowDecoder} from './row-codec.js'
import {compareTimes, lastVersionAt, RowVersions, versionAt} from './row-version.js'
import {secondsToLive} from './seconds-to-live.js'
import {shuffledIndexes} from './shuffled-indexes.js'
import {StoreClock} from './store-clock.js'
import {TableCatalog} from './table-catalog.js'
import {selectNewest, statementsOf, type TableStatements} from './table-layout.js'

/** Reads of one call that wait for an answer at once. */
const readsInFlight = 256
/** A run waits for a node to come back; a request can't. */
const patienceMillis = {read: 1000, write: 30_000} as const

export const keyspacesDriver: OnlineStoreDriver = {
  async open({settings, project, repoDirectory, access, clock = machineNow}) {
    const {keyspacesSession} = await import('./keyspaces/keyspaces-session.js')
    const session = await keyspacesSession(settings, repoDirectory, clock)
    return new CassandraOnlineStore(new CassandraConnection(session, patienceMillis[access]), project)
  },
}

export const cassandraDriver: OnlineStoreDriver = {
  async open({settings, project, repoDirectory, access}) {
    const read = await readCassandraSettings(settings, repoDirectory)
    return new CassandraOnlineStore(new CassandraConnection(read, patienceMillis[access]), project)
  },
}

/** How a selection of features is read from a table. */
interface Selection {
  readonly query: string
  readonly decoder: RowDecoder
}

/** Where a row is written, and for how long. */
interface RowPlace {
  readonly keys: readonly Buffer[]
  readonly version: Buffer
  readonly secondsToLive: ReturnType<typeof secondsToLive>
  readonly replaces: boolean
}

/** What a row is beside the one that is there: the very same is written too, for its new life. */
interface Fate {
  readonly kind: 'older' | 'same' | 'new'
  /** Whether it takes the place of another. */
  readonly replaces: boolean
}

export class CassandraOnlineStore implements OnlineStore {
  readonly writeOrder = 'any'
  readonly isPaced = true
  readonly notes: SharedNotes
  readonly loads: LoadNumbers
  readonly #connection: CassandraConnection
  readonly #catalog: TableCatalog
  readonly #clock: StoreClock
  #versions: RowVersions | undefined
  readonly #statements = new WeakMap<OnlineTable, TableStatements>()
  readonly #selections = new WeakMap<OnlineTable, WeakMap<readonly string[], Selection>>()

  constructor(connection: CassandraConnection, project: string) {
    this.#connection = connection
    this.#catalog = new TableCatalog(connection, project)
    this.#clock = new StoreClock(connection)
    this.notes = {
      runs: new CassandraNote(connection, 'runs'),
      identity: new CassandraNote(connection, 'identity'),
    }
    this.loads = new NotedLoads((table) => new CassandraNote(connection, loadNoteName(project, table)))
  }

  prepare(tables: readonly OnlineTable[]): Promise<void> {
    return this.#catalog.prepare(tables)
  }

  examine(clock: () => Instant): Examination {
    return examineCassandra(this.#connection, clock)
  }

  async drop(tables: readonly string[]): Promise<void> {
    if (tables.length > 0) await this.#catalog.drop(tables)
  }

  nameForOthers(table: string): string {
    return this.#catalog.nameOf(table)
  }

  listTables(): Promise<readonly string[]> {
    return this.#catalog.list()
  }

  async write(
    table: OnlineTable,
    rows: OnlineRows,
    life?: RowLife,
    {pacer = plainPacer(), counts = 'exact'}: WriteFlow = {},
  ): Promise<WriteResult> {
    // Of rows of one key that are equal in their times, the last one stays, however they are sent.
    const now = await this.#clock.start(pacer)
    this.#versions ??= new RowVersions(now)
    const versions = this.#versions.ofRows(rows)
    const {atomicBatch} = this.#connection.settings.abilities
    const fates =
      counts === 'exact' || !atomicBatch ? await this.#fatesOf(table, rows, versions, pacer) : undefined
    const rejected: {readonly row: number; readonly reason: string}[] = []
    const pending = new Set<Promise<void>>()
    const failures: unknown[] = []
    // Shuffled, so that keys that come in order do not load one node after the other.
    for (const row of shuffledIndexes(rows.rowCount)) {
      if (failures.length > 0) break
      const keys = encodeKeys(rows, row)
      const reason = this.#keyRejection(table, keys)
      if (reason !== undefined) {
        rejected.push({row, reason})
        continue
      }
      const fate = fates?.[row]
      if (fate?.kind === 'older') continue
      const statements = this.#statementsFor(table, rows, row, {
        keys,
        version: versionAt(versions, row),
        secondsToLive: secondsToLive(rows.eventTimestamps.values[row] as bigint, life, now()),
        replaces: fate?.replaces === true,
      })
      const sizeReason = this.#sizeRejection(statements)
      if (sizeReason !== undefined) {
        rejected.push({row, reason: sizeReason})
        continue
      }
      const wait = pacer.admit(1)
      if (wait !== undefined) await wait
      const request = pacer
        .send(1, () => this.#connection.writeOnce(statements))
        .then(
          () => void pending.delete(request),
          (error: unknown) => {
            pending.delete(request)
            failures.push(error)
          },
        )
      pending.add(request)
    }
    await Promise.all(pending)
    if (failures.length > 0) throw this.#writeFailure(table, failures[0])
    const rejects = new Set(rejected.map(({row}) => row))
    const unchanged = fates?.filter(({kind}, row) => kind !== 'new' && !rejects.has(row)).length ?? 0
    return {written: rows.rowCount - unchanged - rejects.size, unchanged, rejected}
  }

  async remove(
    table: OnlineTable,
    rows: RemovedRows,
    {pacer = plainPacer()}: Pick<WriteFlow, 'pacer'> = {},
  ): Promise<number> {
    const {removeOlder} = this.#statementsOf(table)
    const pending = new Set<Promise<void>>()
    const failures: unknown[] = []
    for (const row of shuffledIndexes(rows.rowCount)) {
      if (failures.length > 0) break
      const keys = encodeKeys(rows, row)
      if (this.#keyRejection(table, keys) !== undefined) continue
      // Greater than all versions with these times, and smaller than those with newer ones.
      const statement = {query: removeOlder, params: [...keys, lastVersionAt(rows, row)]}
      const wait = pacer.admit(1)
      if (wait !== undefined) await wait
      const request = pacer
        .send(1, () => this.#connection.writeOnce([statement]))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => pending.delete(request))
      pending.add(request)
    }
    await Promise.all(pending)
    if (failures.length > 0) throw this.#writeFailure(table, failures[0])
    return rows.rowCount
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly (readonly (OnlineRow | undefined)[])[]> {
    const reads = requests.flatMap(({table, keys, features}) =>
      keys.map((key) => ({table, key, selection: this.#selectionOf(table, features)})),
    )
    const found = await mapBounded(reads, readsInFlight, (one) => this.#readOne(one))
    let next = 0
    return requests.map(({keys}) => found.slice(next, (next += keys.length)))
  }

  /** What was acknowledged is in a commit log, on as many nodes as the consistency level says. */
  volatileServers(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  /** Cassandra would have to read all rows. */
  countRows(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  /** Rows expire by themselves. */
  removeExpired(): Promise<number> {
    return Promise.resolve(0)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]()
  }

  /** What writes a row. `replaces`: there is another for its key, as far as is known. */
  #statementsFor(
    table: OnlineTable,
    rows: OnlineRows,
    row: number,
    {keys, version, secondsToLive: seconds, replaces}: RowPlace,
  ): readonly Statement[] {
    const {insert, removeOlder, replace} = this.#statementsOf(table)
    const {atomicBatch} = this.#connection.settings.abilities
    const event = rows.eventTimestamps.values[row] as bigint
    const timestamp = this.#hasTimestamps(table) ? [encodeInt64(event)] : []
    const written = [...keys, version, ...encodeCells(table, rows, row), ...timestamp, seconds]
    const removed = [...timestamp, ...keys, version]
    if (atomicBatch) return [{query: replace, params: [...written, ...removed]}]
    return [{query: insert, params: written}, ...(replaces ? [{query: removeOlder, params: removed}] : [])]
  }

  /** Why the store can't hold a row with this key. */
  #keyRejection(table: OnlineTable, keys: readonly Buffer[]): string | undefined {
    const {product, abilities} = this.#connection.settings
    if (keys.length === 1 && keys[0]?.length === 0)
      return `the key ${table.joinKeys[0]?.name ?? ''} is empty, which ${product} does not take`
    // Parts of a composite key have a length and an end each.
    const bytes = keys.reduce((sum, key) => sum + key.length + (keys.length === 1 ? 0 : 3), 0)
    return bytes > abilities.longestKeyBytes
      ? `the key takes ${bytes} bytes, and ${product} at most ${abilities.longestKeyBytes}`
      : undefined
  }

  #sizeRejection([insert]: readonly Statement[]): string | undefined {
    const {product, abilities} = this.#connection.settings
    const {largestRowBytes} = abilities
    const bytes = insert?.params.reduce<number>(
      (sum, value) => sum + (Buffer.isBuffer(value) ? value.length : 0),
      0,
    )
    return bytes !== undefined && bytes > largestRowBytes
      ? `its values take ${bytes} bytes, and ${product} takes at most ${largestRowBytes} a row`
      : undefined
  }

  /** What will become of each row, by what is there now and by the rows before it. */
  async #fatesOf(
    table: OnlineTable,
    rows: OnlineRows,
    versions: Buffer,
    pacer: WritePacer,
  ): Promise<readonly Fate[]> {
    const features = table.features.map(({name}) => name)
    const decoder = rowDecoder(table, features)
    const query = selectNewest(this.#catalog.placeOf(table.name), table, ['row_version', ...decoder.columns])
    const byKey = new Map<string, {readonly keys: Buffer[]; readonly rows: number[]}>()
    for (let row = 0; row < rows.rowCount; row += 1) {
      const keys = encodeKeys(rows, row)
      const id = keys.map((key) => key.toString('hex')).join(':')
      const entry = byKey.get(id) ?? {keys, rows: []}
      entry.rows.push(row)
      byKey.set(id, entry)
    }
    const fates = new Array<Fate>(rows.rowCount).fill({kind: 'new', replaces: false})
    await mapBounded([...byKey.values()], readsInFlight, async ({keys, rows: rowsOfKey}) => {
      if (this.#keyRejection(table, keys) !== undefined) return
      const stored = await this.#newestOf(table, () =>
        pacer.ask(() => this.#connection.readOnce({query, params: keys})),
      )
      let newest = stored?.['row_version'] as Buffer | undefined
      // Known of what was read; rows of one call that are equal in their times count as new ones.
      let storedRow = stored && decoder.decode(stored)
      for (const row of rowsOfKey) {
        const version = versionAt(versions, row)
        const order = newest === undefined ? 1 : compareTimes(version, newest)
        const isSame = order === 0 && storedRow !== undefined && holdsSameCells(table, storedRow, rows, row)
        fates[row] = {kind: order < 0 ? 'older' : isSame ? 'same' : 'new', replaces: newest !== undefined}
        if (order < 0) continue
        newest = version
        if (!isSame) storedRow = undefined
      }
    })
    return fates
  }

  async #readOne({
    table,
    key,
    selection: {query, decoder},
  }: {
    readonly table: OnlineTable
    readonly key: EntityKey
    readonly selection: Selection
  }): Promise<OnlineRow | undefined> {
    const params = table.joinKeys.map((joinKey, index) => encodeValue(joinKey.valueType, key[index] as Value))
    if (this.#keyRejection(table, params) !== undefined) return undefined
    const row = await this.#newestOf(table, () => this.#connection.read({query, params}))
    return row === undefined ? undefined : decoder.decode(row)
  }

  /** The first row, if there is one; there is none in a table that is not there. */
  async #newestOf(table: OnlineTable, read: () => Promise<types.ResultSet>) {
    try {
      return (await read()).rows[0]
    } catch (error) {
      if (!isAboutStatement(error)) throw error
      if (/^keyspace .*does not exist/i.test(error.message))
        throw statementFailure(error, this.#connection.settings)
      if (/unconfigured table|does not exist/i.test(error.message)) return undefined
      throw changed(table, error)
    }
  }

  /** Whether write timestamps are event times. */
  #hasTimestamps({isSnapshot}: OnlineTable): boolean {
    return this.#connection.settings.abilities.anyWriteTimestamp && isSnapshot !== true
  }

  #statementsOf(table: OnlineTable): TableStatements {
    let statements = this.#statements.get(table)
    if (statements === undefined) {
      statements = statementsOf(this.#catalog.placeOf(table.name), table, this.#hasTimestamps(table))
      this.#statements.set(table, statements)
    }
    return statements
  }

  #selectionOf(table: OnlineTable, features: readonly string[]): Selection {
    let byNames = this.#selections.get(table)
    if (byNames === undefined) this.#selections.set(table, (byNames = new WeakMap()))
    let selection = byNames.get(features)
    if (selection === undefined) {
      const decoder = rowDecoder(table, features)
      selection = {query: selectNewest(this.#catalog.placeOf(table.name), table, decoder.columns), decoder}
      byNames.set(features, selection)
    }
    return selection
  }

  #writeFailure(table: OnlineTable, error: unknown): unknown {
    return isAboutStatement(error) ? changed(table, error) : error
  }
}

function changed(table: OnlineTable, cause: Error): FeatureStoreError {
  return new FeatureStoreError(
    'FS_VIEW_CHANGED',
    `Online table ${table.name} of feature_view/${table.view} is gone or has other columns: ${cause.message}.`,
    {hint: 'Something else was applied meanwhile: run `fs apply`, then load the view again.', cause},
  )
}

/** The machine's time, which does not go back while the process lives. */
function machineNow(): Instant {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000))
}
