import {parseLoadNumber, type LoadNumbers} from '../load-number.js'
import type {RedisConnection} from './redis-connection.js'
import type {RedisKeys} from './redis-keys.js'
import {raise} from './scripts.js'

/** In a cluster each slot that rows lie in has its own: a master that went back has older ones in its slots alone. */
export class RedisLoadNumbers implements LoadNumbers {
  readonly #connection: RedisConnection
  readonly #keys: RedisKeys

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection
    this.#keys = keys
  }

  async last(table: string): Promise<number> {
    const keys = this.#keysOf(table)
    const found = await this.#connection.run((client) => Promise.all(keys.map((key) => client.get(key))))
    return Math.min(...found.map(parseLoadNumber))
  }

  async note(table: string, number: number): Promise<void> {
    const keys = this.#keysOf(table)
    await this.#connection.run((client) =>
      Promise.all(keys.map((key) => client.eval(raise, 1, key, String(number)))),
    )
  }

  async forget(table: string): Promise<void> {
    const keys = this.#keysOf(table)
    await this.#connection.run((client) => Promise.all(keys.map((key) => client.unlink(key))))
  }

  #keysOf(table: string): readonly string[] {
    return this.#connection.isCluster ? this.#keys.loadsInSlots(table) : [this.#keys.loads(table)]
  }
}
