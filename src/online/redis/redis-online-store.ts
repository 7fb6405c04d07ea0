/**
 * The online store in Redis, Valkey, ElastiCache or MemoryDB: one packed value for each entity and view. A vector over
 * several views is one MGET. Rows that most likely have no elder are set where their keys are not there; all others, and
 * those that turn out to have one, go through a script that keeps newer rows.
 */
import {createHash} from 'node:crypto'
import type {ChainableCommander} from 'ioredis'
import type {Field} from '../../definitions/definition.js'
import type {Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import type {Examination} from '../../examination.js'
import type {
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
import type {SharedNotes} from '../shared-note.js'
import {DecoderCache, isRow, readSchemaId, RowEncoder, type RowDecoder} from '../row-codec.js'
import {forgetSchemas} from './scripts.js'
import {examineRedis} from './examine-redis.js'
import {RedisConnection} from './redis-connection.js'
import {runIdsOf} from './server-info.js'
import {RedisLoadNumbers} from './redis-load-numbers.js'
import {RedisNote} from './redis-note.js'
import {RedisKeys, serverKeys} from './redis-keys.js'
import {readRedisSettings} from './redis-settings.js'
import {RowCommands} from './row-commands.js'
import {KeysUnderWay, type WriteLot} from './row-lots.js'

type Schema = readonly Pick<Field, 'name' | 'valueType'>[]

const lotsInFlight = 8
const rowsOfRemoval = 500
/** A thousand years: Redis adds it to its own time, which must not run over. */
const longestLifeMillis = 31_556_952_000_000
/** Keys that one step of SCAN looks at. */
const scanCount = 1000
/** A run waits for a failover; a request can't. */
const patienceMillis = {read: 1000, write: 30_000} as const

export const redisDriver: OnlineStoreDriver = {
  async open({settings, project, repoDirectory, access}) {
    const read = await readRedisSettings(settings, repoDirectory)
    return new RedisOnlineStore(new RedisConnection(read, patienceMillis[access]), project)
  },
}

export class RedisOnlineStore implements OnlineStore {
  readonly writeOrder = 'any'
  readonly isPaced = true
  readonly notes: SharedNotes
  readonly loads: RedisLoadNumbers
  readonly #connection: RedisConnection
  readonly #rows: RowCommands
  readonly #keys: RedisKeys
  readonly #schemas = new Map<number, Schema>()
  readonly #decoders = new DecoderCache()
  /** Names of tables that are known to hold rows; others are written as first loads, until they turn out to be none. */
  readonly #filled = new Set<string>()

  constructor(connection: RedisConnection, project: string) {
    this.#connection = connection
    this.#rows = new RowCommands(connection)
    this.#keys = new RedisKeys(project)
    this.notes = {
      runs: new RedisNote(connection, serverKeys.runs),
      identity: new RedisNote(connection, serverKeys.identity),
    }
    this.loads = new RedisLoadNumbers(connection, this.#keys)
  }

  async prepare(tables: readonly OnlineTable[]): Promise<void> {
    const {tables: tablesKey, schemas: schemasKey, dropping} = this.#keys
    const unfinished = await this.#connection.run((client) => client.smembers(dropping))
    await this.#removeTables(unfinished)
    const known = await this.#connection.run((client) => client.hgetall(tablesKey))
    for (const table of tables) {
      const keyTypes = JSON.stringify(table.joinKeys.map(({valueType}) => valueType))
      if ((known[table.name] ?? keyTypes) !== keyTypes) {
        throw new FeatureStoreError(
          'FS_STORE_UNAVAILABLE',
          `Online table ${table.name} of feature_view/${table.view} has keys of types ${known[table.name] ?? ''}, not ${keyTypes}.`,
          {hint: 'Run `fs teardown` and `fs apply`, or give the view another name.'},
        )
      }
      const {id, text} = schemaOf(table.features)
      const sameId = await this.#connection.run((client) => client.hget(schemasKey, String(id)))
      if (sameId !== null && sameId !== text)
        throw new Error(`two schemas have id ${id}: ${sameId} and ${text}`)
      await this.#connection.run((client) =>
        execute(
          client
            .multi()
            .hset(schemasKey, {[id]: text})
            .hset(tablesKey, {[table.name]: keyTypes}),
        ),
      )
    }
  }

  async drop(tables: readonly string[]): Promise<void> {
    if (tables.length === 0) return
    // Also one that is not there: a load that was under way when it went may have written to it since.
    await this.#connection.run((client) =>
      execute(
        client
          .multi()
          .sadd(this.#keys.dropping, ...tables)
          .hdel(this.#keys.tables, ...tables),
      ),
    )
    // Also what a killed process began.
    await this.#removeTables(await this.#connection.run((client) => client.smembers(this.#keys.dropping)))
    const {tables: tablesKey, schemas} = this.#keys
    await this.#connection.run((client) => client.eval(forgetSchemas, 2, tablesKey, schemas))
  }

  /** Rows are packed. */
  nameForOthers(): undefined {
    return undefined
  }

  async listTables(): Promise<readonly string[]> {
    const {tables, schemas} = this.#keys
    const [names, known] = await this.#connection.run((client) =>
      Promise.all([client.hkeys(tables), client.exists(schemas)]),
    )
    // Without their schemas rows can't be read: they are as good as lost.
    return known === 0 ? [] : names.sort()
  }

  async write(
    table: OnlineTable,
    rows: OnlineRows,
    life?: RowLife,
    {pacer}: WriteFlow = {},
  ): Promise<WriteResult> {
    const {id} = schemaOf(table.features)
    const how = pacer === undefined ? 'run' : 'once'
    // Asked once, and anew where that failed: by the first request, so that the pacer knows of its failures.
    let prepared: Promise<void> | undefined
    const writeLot = async (lot: WriteLot): Promise<void> => {
      prepared ??= this.#checkPrepared(table, id, how).catch((error: unknown) => {
        prepared = undefined
        throw error
      })
      await prepared
      await this.#rows.write(lot, how)
    }
    const encoder = new RowEncoder(id, table.features, rows)
    const lives = life === undefined ? undefined : livesOf(rows.eventTimestamps.values, life)
    let unchanged = 0
    const pending = new Set<Promise<void>>()
    const failures: unknown[] = []
    const send = async (lot: WriteLot): Promise<void> => {
      await pacer?.admit(lot.size)
      const sent = pacer === undefined ? writeLot(lot) : pacer.send(lot.size, () => writeLot(lot))
      const call = sent
        .then(() => {
          unchanged += lot.unchanged
          if (lot.hasMet) this.#filled.add(table.name)
        })
        .catch((error: unknown) => void failures.push(error))
        .finally(() => pending.delete(call))
      pending.add(call)
      if (pacer === undefined && pending.size >= lotsInFlight) await Promise.race(pending)
    }
    const newLot = (): WriteLot =>
      this.#rows.newWriteLot({isFirst: !this.#filled.has(table.name), expires: life !== undefined})
    const underWay = new KeysUnderWay()
    let lot = newLot()
    for (let row = 0; row < rows.rowCount && failures.length === 0; row += 1) {
      // Keys are lent, and other writes go on while this one waits: nothing may come between a key and its place.
      let key = this.#keys.rowAt(table, rows, row)
      if (!underWay.add(key)) {
        if (!lot.isEmpty) await send(lot)
        await Promise.all(pending)
        lot = newLot()
        underWay.clear()
        key = this.#keys.rowAt(table, rows, row)
        underWay.add(key)
      }
      lot.add(key, encoder, row, lives?.[row])
      if (!lot.isFull) continue
      await send(lot)
      lot = newLot()
    }
    if (!lot.isEmpty && failures.length === 0) await send(lot)
    await Promise.all(pending)
    if (failures.length > 0) throw failures[0]
    return {written: rows.rowCount - unchanged, unchanged, rejected: []}
  }

  async remove(
    table: OnlineTable,
    rows: RemovedRows,
    {pacer}: Pick<WriteFlow, 'pacer'> = {},
  ): Promise<number> {
    // The header of a row without features tells its times.
    const encoder = new RowEncoder(0, [], {...rows, features: []})
    let stayed = 0
    for (let first = 0; first < rows.rowCount; first += rowsOfRemoval) {
      const count = Math.min(rowsOfRemoval, rows.rowCount - first)
      const part = Array.from({length: count}, (_, at) => ({
        key: Buffer.from(this.#keys.rowAt(table, rows, first + at).written),
        header: Buffer.from(encoder.encode(first + at)),
      }))
      await pacer?.admit(count)
      stayed += await (pacer === undefined
        ? this.#rows.removeUnlessNewer(part, 'run')
        : pacer.send(count, () => this.#rows.removeUnlessNewer(part, 'once')))
    }
    return rows.rowCount - stayed
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly (readonly (OnlineRow | undefined)[])[]> {
    const lot = this.#rows.newReadLot()
    for (const {table, keys} of requests) for (const key of keys) lot.add(this.#keys.rowOf(table, key))
    if (lot.size === 0) return requests.map(() => [])
    const found = await this.#rows.read(lot)
    const unknown = this.#unknownSchemasOf(found)
    const tables = unknown.size === 0 ? undefined : await this.#loadSchemas(unknown)
    let next = 0
    return requests.map(({table, keys, features}) => {
      const decode = this.#decodeWith(features, tables?.has(table.name) === false)
      return keys.map(() => {
        const row = found[next]
        next += 1
        return row === null || row === undefined || !isRow(row) ? undefined : decode(row)
      })
    })
  }

  volatileServers(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#connection.run(runIdsOf, signal)
  }

  examine(clock: () => Instant): Examination {
    return examineRedis(this.#connection, this.#keys.examples(this.#connection.isCluster), clock)
  }

  /** Redis does not count the keys of a pattern. */
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

  async #checkPrepared(table: OnlineTable, schemaId: number, how: 'run' | 'once'): Promise<void> {
    const {tables, schemas} = this.#keys
    const [hasTable, hasSchema] = await this.#connection[how]((client) =>
      Promise.all([client.hexists(tables, table.name), client.hexists(schemas, String(schemaId))]),
    )
    if (hasTable === 1 && hasSchema === 1) return
    throw new FeatureStoreError(
      'FS_VIEW_CHANGED',
      `Online table ${table.name} of feature_view/${table.view} is gone or has another schema.`,
      {
        hint: 'Something else was applied meanwhile, or the server lost what it held: load the view again, and where that fails, run `fs apply` first.',
      },
    )
  }

  /**
   * Rows that follow each other mostly have one schema, which is looked up once. `isLost`: the server lost the table, as the
   * next load notices, and what was written to it meanwhile is as good as lost.
   */
  #decodeWith(features: readonly string[], isLost: boolean): (row: Buffer) => OnlineRow | undefined {
    let schemaId: number | undefined
    let decoder: RowDecoder | undefined
    return (row) => {
      const id = readSchemaId(row)
      if (decoder === undefined || id !== schemaId) {
        const schema = this.#schemas.get(id)
        if (schema === undefined) {
          if (isLost) return undefined
          throw new FeatureStoreError(
            'FS_STORE_UNAVAILABLE',
            `Redis holds a row of schema ${id} and no longer that schema: it has lost ${this.#keys.schemas}.`,
            {
              hint: 'Run `fs apply` and `fs materialize-incremental`, which mend it; set maxmemory-policy to noeviction (`fs doctor` looks).',
            },
          )
        }
        decoder = this.#decoders.get(schema, features)
        schemaId = id
      }
      try {
        return decoder.decode(row)
      } catch (error) {
        // A row that somebody cut short is none.
        if (error instanceof RangeError) return undefined
        throw error
      }
    }
  }

  #unknownSchemasOf(rows: readonly (Buffer | null)[]): ReadonlySet<number> {
    const unknown = new Set<number>()
    let known: number | undefined
    for (const row of rows) {
      if (row === null || !isRow(row)) continue
      const id = readSchemaId(row)
      if (id === known) continue
      if (this.#schemas.has(id)) known = id
      else unknown.add(id)
    }
    return unknown
  }

  /** Returns the names of the tables that are there, where a schema is not. */
  async #loadSchemas(unknown: ReadonlySet<number>): Promise<ReadonlySet<string> | undefined> {
    const ids = [...unknown]
    const {schemas, tables} = this.#keys
    const texts = await this.#connection.run((client) => client.hmget(schemas, ...ids.map(String)))
    ids.forEach((id, index) => {
      const text = texts[index]
      if (typeof text === 'string') this.#schemas.set(id, JSON.parse(text) as Schema)
    })
    if (ids.every((id) => this.#schemas.has(id))) return undefined
    return new Set(await this.#connection.run((client) => client.hkeys(tables)))
  }

  /** Removes the rows of tables by cursor, some at a time and without blocking, then forgets that they are due. */
  async #removeTables(tables: readonly string[]): Promise<void> {
    for (const table of tables) {
      await this.#rows.remove(this.#keys.rowsOf(table), scanCount)
      await this.loads.forget(table)
      await this.#connection.run((client) => client.srem(this.#keys.dropping, table))
    }
  }
}

/** A transaction, of which each part must succeed. */
async function execute(transaction: ChainableCommander): Promise<void> {
  for (const [error] of (await transaction.exec()) ?? []) if (error !== null) throw error
}

/**
 * Milliseconds that rows have left, by row: in doubles, which are exact for two centuries around 1970 and a few
 * microseconds off beyond. Redis takes no life of nothing: what is too old goes a millisecond later.
 */
function livesOf(events: BigInt64Array, {keepFor, now}: RowLife): Float64Array {
  const toKeep = Number(keepFor - now)
  return Float64Array.from(events, (event) =>
    Math.min(Math.max(Math.floor((Number(event) + toKeep) / 1000), 1), longestLifeMillis),
  )
}

/** A schema and its id, which follows from it alone: the same in every process, and never another's. */
function schemaOf(features: Schema): {readonly id: number; readonly text: string} {
  const text = JSON.stringify(features.map(({name, valueType}) => ({name, valueType})))
  return {id: createHash('sha256').update(text).digest().readUInt32LE(0), text}
}
