import {createHash} from 'node:crypto'
import {Cluster, type Redis} from 'ioredis'
import calculateSlot from 'cluster-key-slot'
import type {RedisConnection} from './redis-connection.js'
import type {RowBatch} from './row-batch.js'
import {guardedWrite} from './scripts.js'

/** Rows of one call of the script: enough to be fast, few enough not to keep others waiting. */
export const rowsOfCall = 500

const guardedWriteSha = createHash('sha1').update(guardedWrite).digest('hex')

/** Reads and writes of many rows: one command on one server; in a cluster one for each slot, a pipeline for each node. */
export class RowCommands {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** In the order of the keys; null where there is none. */
  read(keys: readonly Buffer[]): Promise<readonly (Buffer | null)[]> {
    return this.#connection.run(async (client) => {
      if (!(client instanceof Cluster)) return client.mgetBuffer(...keys)
      const found = new Array<Buffer | null>(keys.length).fill(null)
      await eachNode(client, keys, async (slots) => {
        const pipeline = client.pipeline()
        for (const places of slots) pipeline.mgetBuffer(...places.map((place) => keys[place] as Buffer))
        const replies = await resultsOf(pipeline.exec())
        slots.forEach((places, slot) =>
          places.forEach((place, at) => (found[place] = (replies[slot] as (Buffer | null)[])[at] ?? null)),
        )
      })
      return found
    })
  }

  /** Writes rows unless newer ones are there. Returns how many left the store as it was. */
  write(rows: RowBatch): Promise<number> {
    return this.#connection.run(async (client) => {
      try {
        return await callGuardedWrite(client, rows)
      } catch (error) {
        // A server that started, or a replica that was promoted, does not know the script.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        await Promise.all(mastersOf(client).map((node) => node.script('LOAD', guardedWrite)))
        return callGuardedWrite(client, rows)
      }
    })
  }

  /** Removes keys of a pattern by cursor, some at a time and without blocking, on every node. */
  async remove(pattern: string, countOfStep: number): Promise<void> {
    const nodes = await this.#connection.run((client) => Promise.resolve(mastersOf(client).length))
    for (let node = 0; node < nodes; node += 1) {
      let cursor = '0'
      do {
        const at = cursor
        cursor = await this.#connection.run(async (client) => {
          const [next, keys] = await (mastersOf(client)[node] ?? client).scanBuffer(
            at,
            'MATCH',
            pattern,
            'COUNT',
            countOfStep,
          )
          await removeKeys(client, keys)
          return next.toString()
        })
      } while (cursor !== '0')
    }
  }
}

async function callGuardedWrite(client: Redis | Cluster, rows: RowBatch): Promise<number> {
  if (!(client instanceof Cluster)) return Number(await client.sendCommand(rows.toCommand(guardedWriteSha)))
  let unchanged = 0
  await eachNode(client, rows.keys, async (slots) => {
    const pipeline = client.pipeline()
    for (const places of slots) pipeline.evalsha(...rows.argumentsOf(guardedWriteSha, places))
    for (const count of await resultsOf(pipeline.exec())) unchanged += Number(count)
  })
  return unchanged
}

async function removeKeys(client: Redis | Cluster, keys: readonly Buffer[]): Promise<void> {
  if (keys.length === 0) return
  if (!(client instanceof Cluster)) {
    await client.unlink(...keys)
    return
  }
  await eachNode(client, keys, async (slots) => {
    const pipeline = client.pipeline()
    for (const places of slots) pipeline.unlink(...places.map((place) => keys[place] as Buffer))
    await resultsOf(pipeline.exec())
  })
}

/** Groups places of keys by slot, and the slots by the node that holds them; all nodes at once. */
async function eachNode(
  client: Cluster,
  keys: readonly Buffer[],
  use: (slots: readonly (readonly number[])[]) => Promise<void>,
): Promise<void> {
  const bySlot = new Map<number, number[]>()
  keys.forEach((key, place) => {
    const slot = calculateSlot(key)
    const places = bySlot.get(slot)
    if (places === undefined) bySlot.set(slot, [place])
    else places.push(place)
  })
  const byNode = new Map<string, number[][]>()
  for (const [slot, places] of bySlot) {
    const node = client.slots[slot]?.join() ?? ''
    const slots = byNode.get(node) ?? []
    byNode.set(node, slots)
    slots.push(places)
  }
  await Promise.all([...byNode.values()].map(use))
}

function mastersOf(client: Redis | Cluster): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client]
}

async function resultsOf(
  replies: Promise<[error: Error | null, result: unknown][] | null>,
): Promise<readonly unknown[]> {
  return ((await replies) ?? []).map(([error, result]) => {
    if (error !== null) throw error
    return result
  })
}
