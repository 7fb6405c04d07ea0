import type {LoadNumbers} from '../load-number.js'
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

  async last(table: string, signal?: AbortSignal): Promise<number> {
    const keys = this.#keysOf(table)
    const found = await this.#connection.run(
      (client) => Promise.all(keys.map((key) => client.get(key))),
      signal,
    )
    return Math.min(...found.map((text) => Number(text ?? 0)))
  }

  async next(table: string, known: number, signal?: AbortSignal): Promise<number | undefined> {
    const keys = this.#keysOf(table)
    for (let number = known + 1; ;) {
      const raised = (client: {eval(script: string, keys: number, ...more: string[]): Promise<unknown>}) =>
        Promise.all(keys.map((key) => client.eval(raise, 1, key, String(number), String(known))))
      const before = (await this.#connection.run(raised, signal)).map(Number)
      if (Math.min(...before) < known) return undefined
      const greatest = Math.max(...before)
      if (greatest < number) return number
      // Others noted loads meanwhile, or an answer was lost on its way.
      number = greatest + 1
    }
  }

  async forget(table: string): Promise<void> {
    const keys = this.#keysOf(table)
    await this.#connection.run((client) => Promise.all(keys.map((key) => client.unlink(key))))
  }

  #keysOf(table: string): readonly string[] {
    return this.#connection.isCluster ? this.#keys.loadsInSlots(table) : [this.#keys.loads(table)]
  }
}
