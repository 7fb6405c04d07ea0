import {Cluster, type Redis} from 'ioredis'
import type {WriteCall, WriteReply} from './guarded-write-call.js'
import type {RedisConnection} from './redis-connection.js'
import type {ReadCall} from './read-call.js'
import type {RowCall} from './row-call.js'
import {ReadLot, WriteLot, type WriteKind} from './row-lots.js'
import {guardedWrite, removeUnlessNewer} from './scripts.js'
import {mastersOf} from './server-info.js'

/** A lot may have a call for each of 256 slots, whatever those before it had. */
const mostExpectedBytes = 128 * 1024

/** Reads and writes of many rows: one command on one server; in a cluster one for each slot, sent to the slot's master. */
export class RowCommands {
  readonly #connection: RedisConnection
  /** Somewhat more than the calls of the last lot had: memory that grows is copied. */
  #bytesOfCall = 8192

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  newReadLot(): ReadLot {
    return new ReadLot(this.#connection.isCluster)
  }

  newWriteLot(kind: Omit<WriteKind, 'bytesOfCall'>): WriteLot {
    return new WriteLot(this.#connection.isCluster, {...kind, bytesOfCall: this.#bytesOfCall})
  }

  /** In the order of the lot; null where there is no row. */
  read(lot: ReadLot): Promise<readonly (Buffer | null)[]> {
    const only = this.#connection.isCluster ? undefined : lot.calls.get(0)
    // Given back as it is: an `async` function would take two turns more.
    return only === undefined
      ? this.#readSlots(lot)
      : this.#connection.run((client) => only.sendTo(client as Redis))
  }

  async #readSlots(lot: ReadLot): Promise<readonly (Buffer | null)[]> {
    const found = new Array<Buffer | null>(lot.size).fill(null)
    const open = new Map(lot.calls)
    await this.#sendAll<readonly (Buffer | null)[], ReadCall>(open, ({places}, rows) => {
      places.forEach((place, at) => (found[place] = rows[at] ?? null))
      return undefined
    })
    return found
  }

  /**
   * Sends what is open of the lot. `once`: throws StoreRefusal where what stops it may pass; called again, it sends what
   * is open then.
   */
  async write(lot: WriteLot, how: 'run' | 'once'): Promise<void> {
    this.#bytesOfCall = Math.min(1.25 * lot.bytesOfCall, mostExpectedBytes)
    const take = (_: WriteCall, reply: WriteReply): WriteCall | undefined => {
      lot.settle(reply)
      return reply.rest
    }
    await this.#sendAll<WriteReply, WriteCall>(lot.open, take, how)
  }

  /** Removes the rows that are no newer than those told by their headers. Returns how many newer ones stay. */
  async removeUnlessNewer(
    rows: readonly {readonly key: Buffer; readonly header: Buffer}[],
    how: 'run' | 'once',
  ): Promise<number> {
    const stayed = await this.#connection[how]((client) =>
      Promise.all(rows.map(({key, header}) => client.eval(removeUnlessNewer, 1, key, header))),
    )
    return stayed.reduce<number>((sum, one) => sum + Number(one), 0)
  }

  /**
   * Removes keys of a pattern by cursor, some at a time and without blocking, on every master. A cursor is of use on its
   * own server only, so all begins again where masters changed meanwhile.
   */
  async remove(pattern: string, countOfStep: number): Promise<void> {
    const addresses = (): Promise<readonly string[]> =>
      this.#connection.run((client) => Promise.resolve(mastersOf(client).map(addressOf).sort()))
    for (let before = await addresses(); ;) {
      for (const address of before) await this.#removeFrom(address, pattern, countOfStep)
      const after = await addresses()
      if (after.join() === before.join()) return
      before = after
    }
  }

  /** Does nothing where no master has that address any more. */
  async #removeFrom(address: string, pattern: string, countOfStep: number): Promise<void> {
    let cursor = '0'
    do {
      const at = cursor
      cursor = await this.#connection.run(async (client) => {
        const node = mastersOf(client).find((one) => addressOf(one) === address)
        if (node === undefined) return '0'
        const [next, keys] = await node.scanBuffer(at, 'MATCH', pattern, 'COUNT', countOfStep)
        if (client instanceof Cluster) await Promise.all(keys.map((key) => client.unlink(key)))
        else if (keys.length > 0) await client.unlink(...keys)
        return next.toString()
      })
    } while (cursor !== '0')
  }

  /**
   * Sends each call until it succeeds, hands over its reply and sends what that leaves. What succeeded is open no longer,
   * and not sent again.
   */
  async #sendAll<Reply, Call extends RowCall<Reply>>(
    open: Map<number, Call>,
    take: (call: Call, reply: Reply) => Call | undefined,
    how: 'run' | 'once' = 'run',
  ): Promise<void> {
    const attempt = async (client: Redis | Cluster): Promise<readonly Error[]> => {
      const send = senderTo<Reply>(client)
      const failures: Error[] = []
      const sent = inOnePiece(client, () =>
        Array.from(open, async ([slot, call]) => {
          try {
            const reply = await send(slot, call)
            // An attempt that was given up may still be answered, when another one has been.
            if (open.get(slot) !== call) return
            const rest = take(call, reply)
            if (rest === undefined) open.delete(slot)
            else open.set(slot, rest)
          } catch (error) {
            failures.push(error as Error)
          }
        }),
      )
      await Promise.all(sent)
      return failures
    }
    const attemptWithScript = async (client: Redis | Cluster): Promise<void> => {
      let failures = await attempt(client)
      // A server that started, or a replica that was promoted, does not know the script.
      if (failures.some(({message}) => message.startsWith('NOSCRIPT'))) {
        await Promise.all(mastersOf(client).map((node) => node.script('LOAD', guardedWrite)))
        failures = await attempt(client)
      }
      if (failures[0] !== undefined) throw failures[0]
    }
    while (open.size > 0) await this.#connection[how](attemptWithScript)
  }
}

/**
 * Sends a call to the master of its slot. A slot that moves to another node answers ASK or TRYAGAIN to commands of
 * several keys until all of them have moved, so rows go one by one, which the client redirects:
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#multi-key-operations
 */
function senderTo<Reply>(client: Redis | Cluster): (slot: number, call: RowCall<Reply>) => Promise<Reply> {
  if (!(client instanceof Cluster)) return (_, call) => call.sendTo(client)
  const nodes = new Map(client.nodes().map((node) => [addressOf(node), node]))
  return async (slot, call) => {
    const node = nodes.get(client.slots[slot]?.[0] ?? '')
    if (node === undefined) throw new Error(`CLUSTERDOWN no node is known for slot ${slot}`)
    try {
      return await call.sendTo(node)
    } catch (error) {
      if (/^(ASK|TRYAGAIN) ?/.test((error as Error).message)) return call.rowByRow(client)
      throw error
    }
  }
}

/** What is sent meanwhile leaves in one piece for each node, not command by command. */
function inOnePiece<T>(client: Redis | Cluster, send: () => T): T {
  if (!(client instanceof Cluster)) return send()
  // A node that is not connected has no stream yet.
  const streams = client.nodes().flatMap(({stream}: {readonly stream?: Redis['stream']}) => stream ?? [])
  for (const stream of streams) stream.cork()
  try {
    return send()
  } finally {
    for (const stream of streams) stream.uncork()
  }
}

function addressOf({options: {host, port}}: Redis): string {
  return `${host ?? ''}:${port ?? ''}`
}
