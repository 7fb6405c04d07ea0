import {Command} from 'ioredis'
import type {BulkStrings} from './bulk-strings.js'

/**
 * A command whose arguments are framed already: each was copied once, where the client makes some objects for each
 * argument. Replies, time limits and TLS stay the client's. Replies are bytes, but for numbers.
 */
export class PackedCommand extends Command {
  readonly #bytes: Buffer

  /** The few arguments of `head` (ASCII), then all of `lists`. */
  constructor(name: string, head: readonly string[], lists: readonly BulkStrings[]) {
    super(name, [], {replyEncoding: null})
    const parts = lists.reduce((sum, {count}) => sum + count, 1 + head.length)
    const frames = [name, ...head].map((text) => `$${text.length}\r\n${text}\r\n`)
    const start = Buffer.from(`*${parts}\r\n${frames.join('')}`, 'latin1')
    const [first, ...others] = lists
    this.#bytes =
      first !== undefined && others.length === 0
        ? first.after(start)
        : Buffer.concat([start, ...lists.map(({bytes}) => bytes)])
  }

  override toWritable(): Buffer {
    return this.#bytes
  }
}
