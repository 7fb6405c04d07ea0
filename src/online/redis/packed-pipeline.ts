import {Command, ReplyError, type Redis} from 'ioredis'

/** A place among the commands that wait for replies. */
type Waiting = Parameters<Redis['handleReconnection']>[1]

/**
 * Commands of one name in one piece of bytes, of which each has a reply of its own. The client's pipeline makes some
 * objects, a promise and a timer for each command; here one command takes its place among those that wait again, as often
 * as there are replies, as the client's own do for subscriptions to several channels. Resolves to the places of the replies
 * that were null; fails with the first error.
 */
export class PackedPipeline extends Command {
  readonly #bytes: Buffer
  readonly #count: number

  constructor(name: string, bytes: Buffer, count: number) {
    super(name, [], {replyEncoding: null})
    this.#bytes = bytes
    this.#count = count
  }

  override toWritable(): Buffer {
    return this.#bytes
  }

  /** Only once. */
  sendTo(client: Redis): Promise<readonly number[]> {
    const {resolve, reject} = this
    const waiting: Waiting = {
      command: this,
      stream: undefined as never,
      select: client.condition?.select ?? 0,
    }
    const nulls: number[] = []
    let replies = 0
    const isLastReply = (): boolean => {
      replies += 1
      if (replies < this.#count) client.commandQueue.unshift(waiting)
      return replies === this.#count
    }
    this.resolve = (reply: unknown): void => {
      if (reply === null) nulls.push(replies)
      // Where one failed, the others are still answered, and settle nothing.
      if (isLastReply()) resolve(nulls)
    }
    this.reject = (error: Error): void => {
      // All others end it: no reply comes any more, or its place is kept for those that come late. A login that is refused
      // empties the queue by a reply that is not one of these, and takes all its places at once.
      if (error instanceof ReplyError) isLastReply()
      reject(error)
    }
    return client.sendCommand(this) as Promise<readonly number[]>
  }
}
