/**
 * Where a project keeps its things in Redis. A row is a key of its own:
 *
 *   fs:<project>:{<entity key>}<table>
 *
 * where the entity key is the bytes of `entity-key.ts`, and the table is 8 characters made of its name, so that a
 * reader needs no catalog to find a row. All views of an entity have what stands in braces in common, and so, in a
 * cluster, the slot: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags. Where an
 * entity key holds a brace itself, the slot follows from the part before it, which the views have in common too.
 */
import {createHash} from 'node:crypto'
import {appendKey, appendKeyFromColumns, appendRaw, newKeyBuffer, type KeyBuffer} from '../entity-key.js'
import type {EntityKey, OnlineRows, OnlineTable} from '../online-store.js'

export class RedisKeys {
  /** A hash: name of a table to the types of its keys, as JSON. */
  readonly tables: string
  /** A hash: id of a schema to the schema, as JSON. A schema is never changed, so it is never read twice. */
  readonly schemas: string
  /** A set: names of tables whose rows are being removed. */
  readonly dropping: string
  readonly #prefix: Buffer
  readonly #buffer: KeyBuffer = newKeyBuffer()
  readonly #tags = new Map<string, Buffer>()

  /** A project's name holds no colon and no brace. */
  constructor(project: string) {
    // On one slot, so that they change together.
    this.tables = `fs:{${project}}:tables`
    this.schemas = `fs:{${project}}:schemas`
    this.dropping = `fs:{${project}}:dropping`
    this.#prefix = Buffer.from(`fs:${project}:{`)
  }

  rowOf(table: OnlineTable, entity: EntityKey): Buffer {
    const key = this.#begin()
    appendKey(key, table.joinKeys, entity)
    appendRaw(key, this.#tagOf(table.name))
    return Buffer.from(key.bytes.subarray(0, key.length))
  }

  /** Lent: it holds until the next key is asked for. */
  rowAt(table: OnlineTable, rows: OnlineRows, row: number): Buffer {
    const key = this.#begin()
    appendKeyFromColumns(key, rows.keys, row)
    appendRaw(key, this.#tagOf(table.name))
    return key.bytes.subarray(0, key.length)
  }

  /** A pattern of SCAN for all rows of a table. */
  rowsOf(table: string): string {
    return `${this.#prefix.toString()}*${this.#tagOf(table).toString()}`
  }

  #begin(): KeyBuffer {
    const key = this.#buffer
    this.#prefix.copy(key.bytes)
    key.length = this.#prefix.length
    return key
  }

  /** `}` and 48 bits of a hash of the name, in an alphabet that SCAN takes as it stands. */
  #tagOf(table: string): Buffer {
    let tag = this.#tags.get(table)
    if (tag === undefined) {
      const hash = createHash('sha256').update(table).digest().subarray(0, 6).toString('base64url')
      this.#tags.set(table, (tag = Buffer.from(`}${hash}`)))
    }
    return tag
  }
}
