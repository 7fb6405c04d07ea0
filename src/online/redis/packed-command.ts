import {Command} from 'ioredis'
import type {BulkStrings} from './bulk-strings.js'

/** Of reads, which are as long as a vector has views, and are many. */
const starts = new Map<string, Buffer>()
const mostStarts = 1000

/**
 * A command whose arguments are framed already: each was copied once, where the client makes some objects for each
 * argument. Replies, time limits and TLS stay the client's. Replies are bytes, but for numbers.
 */
export class PackedCommand extends Command {
  readonly #bytes: Buffer

  /** The few arguments of `head` (ASCII), then all of `lists`. */
  constructor(name: string, head: readonly string[], lists: readonly BulkStrings[]) {
    super(name, [], {replyEncoding: null})
    const [first] = lists
    this.#bytes =
      first !== undefined && lists.length === 1 && head.length === 0
        ? first.after(knownStart(name, first.count))
        : Buffer.concat([startOf([name, ...head], lists), ...lists.map(({bytes}) => bytes)])
  }

  override toWritable(): Buffer {
    return this.#bytes
  }
}

function knownStart(name: string, count: number): Buffer {
  const key = `${name} ${count}`
  let start = starts.get(key)
  if (start === undefined) {
    start = startOf([name], [{count}])
    if (starts.size < mostStarts) starts.set(key, start)
  }
  return start
}

function startOf(words: readonly string[], lists: readonly {readonly count: number}[]): Buffer {
  const parts = lists.reduce((sum, {count}) => sum + count, words.length)
  const frames = words.map((word) => `$${word.length}\r\n${word}\r\n`)
  return Buffer.from(`*${parts}\r\n${frames.join('')}`, 'latin1')
}
