import type {SharedNote} from '../shared-note.js'
import type {RedisConnection} from './redis-connection.js'
import {replaceIfEqual} from './scripts.js'

export class RedisNote implements SharedNote {
  readonly #connection: RedisConnection
  readonly #key: string

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection
    this.#key = key
  }

  async read(signal?: AbortSignal): Promise<{readonly text: string | undefined; readonly nowMillis: number}> {
    const [text, [seconds, micros]] = await this.#connection.run(
      (client) => Promise.all([client.get(this.#key), client.time()]),
      signal,
    )
    return {text: text ?? undefined, nowMillis: Number(seconds) * 1000 + Number(micros) / 1000}
  }

  async replace(expected: string | undefined, text: string, signal?: AbortSignal): Promise<boolean> {
    const replaced = await this.#connection.run(
      (client) =>
        expected === undefined
          ? client.set(this.#key, text, 'NX')
          : client.eval(replaceIfEqual, 1, this.#key, expected, text),
      signal,
    )
    return replaced === 'OK' || replaced === 1
  }
}
