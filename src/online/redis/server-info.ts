import {Cluster, type Redis} from 'ioredis'
import {refreshSlots} from './redis-connection.js'

/** What a server tells of itself, by field: https://redis.io/docs/latest/commands/info */
export type ServerInfo = ReadonlyMap<string, string>

/** The server, or each master of a cluster as the client knows it. */
export function mastersOf(client: Redis | Cluster): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client]
}

/** All of it, or a section. Undefined where this user may not ask. */
export async function infoOf(node: Redis, section = 'default'): Promise<ServerInfo | undefined> {
  const text = await node.info(section).catch(unlessRefused)
  if (text === undefined) return undefined
  return new Map(
    text.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )
}

/** The ids of the processes of all masters that tell theirs. A replica that took the place of its master has another one. */
export async function runIdsOf(client: Redis | Cluster): Promise<readonly string[]> {
  await refreshSlots(client)
  const infos = await Promise.all(mastersOf(client).map((node) => infoOf(node, 'server')))
  return infos.flatMap((info) => info?.get('run_id') ?? [])
}

function unlessRefused(error: unknown): undefined {
  if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return undefined
  throw error
}
