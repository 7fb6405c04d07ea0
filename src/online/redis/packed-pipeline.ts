import {Command, type Redis} from 'ioredis'

/** For commands whose bytes have left already: the client wants something to write them to. */
type Sink = NonNullable<Parameters<Redis['sendCommand']>[1]>

/**
 * Commands of one name in one piece of bytes, of which each has a reply of its own. The client's pipeline makes some
 * objects, a promise and a timer for each command; here it queues one object as many times as there are replies, so that
 * each of them finds its place. Resolves to the places of those that were null.
 */
export class PackedPipeline extends Command {
  readonly #bytes: Buffer
  readonly #count: number
  readonly #nulls: number[] = []
  #replies = 0

  constructor(name: string, bytes: Buffer, count: number) {
    super(name, [], {replyEncoding: null})
    this.#bytes = bytes
    this.#count = count
    const settle = this.resolve
    this.resolve = (reply: unknown): void => {
      if (reply === null) this.#nulls.push(this.#replies)
      this.#replies += 1
      // Where one failed, the others are still answered, and settle nothing.
      if (this.#replies === count) settle(this.#nulls)
    }
  }

  override toWritable(): Buffer {
    return this.#bytes
  }

  /** Only once, and on a connection that is ready and writable: another would hold back all of them as one with one reply. */
  async sendTo(client: Redis): Promise<readonly number[]> {
    const {stream} = client
    const nowhere: Sink = {isPipeline: true, write: () => true, destination: {redis: {stream}}}
    const replies = client.sendCommand(this) as Promise<readonly number[]>
    // A connection that breaks with the first has no replies, and the next one must not wait for any.
    for (let place = 1; place < this.#count && stream.writable; place += 1)
      void client.sendCommand(this, nowhere)
    return replies
  }
}
