/**
 * Where a project keeps its things in Redis. A row is a key of its own:
 *
 *   fs:<project>:{<tag of a slot>}<entity key><table>
 *
 * where the tag follows from the entity key (see `slot-buckets.ts`), the entity key is the bytes of `entity-key.ts`, and
 * the table is 8 characters made of its name, so that a reader needs no catalog to find a row. In a cluster what stands in
 * braces decides on the slot, so that all views of an entity lie together:
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
import {createHash} from 'node:crypto'
import {appendKey, appendKeyFromColumns} from '../entity-key.js'
import {GrowingBytes} from '../growing-bytes.js'
import type {EntityKey, OnlineRows, OnlineTable} from '../online-store.js'
import {hashBytes} from './hash-bytes.js'
import {allBuckets, bucketOf, tagLength} from './slot-buckets.js'

/** The key of a row: the bytes that are written. */
class KeyBytes extends GrowingBytes {
  /** Of the entity: equal for equal ones. */
  hash = 0
  slot = 0
}

export type RowKey = Readonly<Pick<KeyBytes, 'bytes' | 'length' | 'written' | 'hash' | 'slot'>>

/** Keys of the whole server, as their names say to those who look. */
export const serverKeys = {runs: 'fs:{runs}', identity: 'fs:{identity}'} as const

export class RedisKeys {
  /** A hash: name of a table to the types of its keys, as JSON. */
  readonly tables: string
  /** A hash: id of a schema to the schema, as JSON. A schema is never changed, so it is never read twice. */
  readonly schemas: string
  /** A set: names of tables whose rows are being removed. */
  readonly dropping: string
  readonly #project: string
  readonly #prefix: string
  /** Begins with the prefix, whatever key it holds. */
  readonly #buffer = new KeyBytes()
  readonly #tagAt: number
  readonly #entityAt: number
  readonly #suffixes = new Map<string, Buffer>()

  /** A project's name holds no colon and no brace. */
  constructor(project: string) {
    this.#project = project
    // On one slot, so that they change together.
    this.tables = `fs:{${project}}:tables`
    this.schemas = `fs:{${project}}:schemas`
    this.dropping = `fs:{${project}}:dropping`
    this.#prefix = `fs:${project}:{`
    this.#tagAt = Buffer.byteLength(this.#prefix)
    this.#buffer.append(Buffer.from(`${this.#prefix}${'0'.repeat(tagLength)}}`))
    this.#entityAt = this.#buffer.length
  }

  /** A text: how many loads a table has seen. */
  loads(table: string): string {
    return `fs:{${this.#project}}:loads:${table}`
  }

  /** The same for each slot that rows lie in. They begin as no row does. */
  loadsInSlots(table: string): readonly string[] {
    return allBuckets().map(({tag}) => `fs:{${tag.toString()}}:${this.#project}:loads:${table}`)
  }

  /** One key of each kind that a user must have the right to. */
  examples(isCluster: boolean): readonly [string, ...string[]] {
    const ofLoads = isCluster ? this.loadsInSlots('') : [this.loads('')]
    return [this.tables, `${this.#prefix}000}`, ...ofLoads.slice(0, 1), ...Object.values(serverKeys)]
  }

  /** Lent: it holds until the next key is asked for. */
  rowOf(table: OnlineTable, entity: EntityKey): RowKey {
    this.#buffer.length = this.#entityAt
    appendKey(this.#buffer, table.joinKeys, entity)
    return this.#finish(table)
  }

  /** Lent: it holds until the next key is asked for. */
  rowAt(table: OnlineTable, rows: Pick<OnlineRows, 'keys'>, row: number): RowKey {
    this.#buffer.length = this.#entityAt
    appendKeyFromColumns(this.#buffer, rows.keys, row)
    return this.#finish(table)
  }

  /** A pattern of SCAN for all rows of a table. */
  rowsOf(table: string): string {
    return `${this.#prefix}*${this.#suffixOf(table).toString()}`
  }

  #finish(table: OnlineTable): RowKey {
    const key = this.#buffer
    key.hash = hashBytes(key.bytes, this.#entityAt, key.length)
    const {tag, slot} = bucketOf(key.hash)
    key.slot = slot
    for (let at = 0; at < tagLength; at += 1) key.bytes[this.#tagAt + at] = tag[at] as number
    key.append(this.#suffixOf(table.name))
    return key
  }

  /** 48 bits of a hash of the name, in an alphabet that SCAN takes as it stands. */
  #suffixOf(table: string): Buffer {
    let suffix = this.#suffixes.get(table)
    if (suffix === undefined) {
      const hash = createHash('sha256').update(table).digest().subarray(0, 6).toString('base64url')
      this.#suffixes.set(table, (suffix = Buffer.from(hash)))
    }
    return suffix
  }
}
