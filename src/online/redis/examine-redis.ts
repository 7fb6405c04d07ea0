import type {Redis} from 'ioredis'
import type {Instant} from '../../definitions/instant.js'
import {clockFinding, millisOf, type Examination, type Finding} from '../../examination.js'
import type {RedisConnection} from './redis-connection.js'
import {infoOf, mastersOf, type ServerInfo} from './server-info.js'

/** What reads and loads use: https://redis.io/docs/latest/commands/acl-dryrun */
const usedCommands = [
  ...[
    'get',
    'mget',
    'mset',
    'msetnx',
    'set',
    'evalsha',
    'eval',
    'script',
    'scan',
    'unlink',
    'time',
    'select',
    'multi',
    'exec',
  ],
  ...[
    'hget',
    'hset',
    'hgetall',
    'hmget',
    'hkeys',
    'hexists',
    'hdel',
    'smembers',
    'sadd',
    'srem',
    'exists',
    'del',
  ],
]
const oldestTried = 6
const fullShare = 0.9

/** Looks at the server, or at each master of a cluster. Throws FS_STORE_UNAVAILABLE. */
export async function* examineRedis(
  connection: RedisConnection,
  keys: readonly [string, ...string[]],
  clock: () => Instant,
): Examination {
  const masters = await connection.run((client) => Promise.resolve(mastersOf(client)))
  const asked = millisOf(clock())
  const [seconds, micros] = await connection.run(() => (masters[0] as Redis).time())
  const answered = millisOf(clock())
  yield {
    name: 'reachable',
    status: 'ok',
    detail: `${connection.place}${connection.isCluster ? `, a cluster of ${masters.length} masters` : ''}, answers in ${answered - asked} ms`,
  }
  yield clockFinding(Number(seconds) * 1000 + Number(micros) / 1000, [asked, answered])
  yield* encryption(connection)
  const infos = await connection.run(() => Promise.all(masters.map((node) => infoOf(node))))
  yield versionOf(infos)
  yield* modeOf(connection, infos)
  yield* roleOf(infos)
  yield* refusedWritesOf(infos)
  yield await rightsOf(connection, masters[0] as Redis, keys)
  yield* noticeOf(infos)
  yield evictionOf(infos)
  yield fillOf(infos)
}

function* encryption({isEncrypted, isOnLoopback}: RedisConnection): Generator<Finding> {
  if (isEncrypted || isOnLoopback) {
    yield {name: 'encryption', status: 'ok', detail: isEncrypted ? 'TLS' : 'none, on this machine'}
    return
  }
  yield {
    name: 'encryption',
    status: 'warning',
    detail: 'none: features and password go over the network in the clear',
    remedy: 'Turn on TLS on the server, and say ssl=true in `connection_string`.',
  }
}

function versionOf(infos: readonly (ServerInfo | undefined)[]): Finding {
  const versions = new Set(
    infos.flatMap((info) => {
      const valkey = info?.get('valkey_version')
      return valkey === undefined ? (info?.get('redis_version') ?? []) : `Valkey ${valkey}`
    }),
  )
  const detail = [...versions].join(', ')
  if (detail === '') return unknown('version')
  const major = Number(/\d+/.exec(detail)?.[0])
  if (major >= oldestTried) return {name: 'version', status: 'ok', detail}
  const remedy = `Use ${oldestTried} or newer: this one was never tried.`
  return {name: 'version', status: 'warning', detail, remedy}
}

/** Only what is wrong. A cluster of which slots are not served is not connected to at all. */
function* modeOf(
  {isCluster, place}: RedisConnection,
  infos: readonly (ServerInfo | undefined)[],
): Generator<Finding> {
  if (isCluster || !infos.some((info) => info?.get('cluster_enabled') === '1')) return
  yield {
    name: 'cluster',
    status: 'failed',
    detail: `${place} is a node of a cluster: it takes the keys of its own slots alone`,
    remedy: 'Say `redis_type: redis_cluster` in `online_store`.',
  }
}

/** Only what is wrong. https://redis.io/docs/latest/commands/info; the server itself answers MISCONF or NOREPLICAS then. */
function* refusedWritesOf(infos: readonly (ServerInfo | undefined)[]): Generator<Finding> {
  const has = (field: string, value: string): boolean => infos.some((info) => info?.get(field) === value)
  if (has('aof_last_write_status', 'err') || has('rdb_last_bgsave_status', 'err')) {
    yield {
      name: 'writes',
      status: 'warning',
      detail: 'the server could not save to its disk; unless it was told otherwise, it takes no writes',
      remedy: "See the server's log, and free its disk.",
    }
  }
  if (has('min_slaves_good_slaves', '0')) {
    yield {
      name: 'writes',
      status: 'failed',
      detail: 'none of the replicas is there that `min-replicas-to-write` wants: the server takes no writes',
      remedy: 'Bring the replicas back, or set `min-replicas-to-write` to 0.',
    }
  }
}

/** Only what is wrong: a replica serves reads and refuses loads. */
function* roleOf(infos: readonly (ServerInfo | undefined)[]): Generator<Finding> {
  if (!infos.some((info) => info?.get('role') === 'slave')) return
  yield {
    name: 'role',
    status: 'warning',
    detail: 'a replica: it can be read from, and no load can write to it',
    remedy:
      'Name its primary (of ElastiCache the primary endpoint), or sentinels with `redis_type: redis_sentinel`.',
  }
}

/** Only what is wrong: a server that ends, and comes back without its newest rows, is known by the id of its process. */
function* noticeOf(infos: readonly (ServerInfo | undefined)[]): Generator<Finding> {
  if (!infos.includes(undefined)) return
  yield {
    name: 'restarts',
    status: 'warning',
    detail:
      'this user may not use INFO: rows that a server loses by ending during a load are not written again',
    remedy: 'Allow it: ACL SETUSER <user> +info',
  }
}

/** Asks the server what it would answer; Redis before 7 can't tell. All commands on the first key, and one that reads and writes on the others. */
async function rightsOf(
  connection: RedisConnection,
  node: Redis,
  [key, ...others]: readonly [string, ...string[]],
): Promise<Finding> {
  const user = await node.call('ACL', 'WHOAMI').catch(() => undefined)
  if (typeof user !== 'string') return unknown('rights')
  const refused: string[] = []
  const refusedKeys = new Set<string>()
  const asked = [
    ...usedCommands.map((command) => ({command, on: key})),
    ...others.map((on) => ({command: 'eval', on})),
  ]
  for (const {command, on} of asked) {
    const answer = await node
      .call('ACL', 'DRYRUN', user, ...dryRun(command, on))
      .catch((error: unknown) => error)
    if (answer instanceof Error) {
      if (/NOPERM|unknown subcommand|Unknown subcommand/.test(answer.message))
        return unknown('rights', `user ${user}`)
      continue
    }
    if (answer === 'OK') continue
    refusedKeys.add(on)
    if (!refused.includes(command)) refused.push(command)
  }
  if (refused.length === 0) return {name: 'rights', status: 'ok', detail: `user ${user} may read and load`}
  return {
    name: 'rights',
    status: 'failed',
    detail: `user ${user} may not use ${refused.join(', ')} on ${[...refusedKeys].join(', ')}`,
    remedy: `ACL SETUSER ${user} ${refused.map((command) => `+${command}`).join(' ')} ~fs:*`,
  }
}

/** With as many arguments as the command wants. */
function dryRun(command: string, key: string): readonly string[] {
  switch (command) {
    case 'time':
    case 'multi':
    case 'exec':
      return [command]
    case 'select':
      return [command, '0']
    case 'scan':
      return [command, '0']
    case 'script':
      return [command, 'LOAD', 'return 0']
    case 'eval':
    case 'evalsha':
      return [command, 'return 0', '1', key]
    case 'set':
    case 'mset':
    case 'msetnx':
    case 'hget':
    case 'hmget':
    case 'hexists':
    case 'hdel':
    case 'sadd':
    case 'srem':
      return [command, key, 'x']
    case 'hset':
      return [command, key, 'x', 'x']
    default:
      return [command, key]
  }
}

/** What the server throws away when its memory is full: https://redis.io/docs/latest/develop/reference/eviction/ */
function evictionOf(infos: readonly (ServerInfo | undefined)[]): Finding {
  const policies = new Set(infos.flatMap((info) => info?.get('maxmemory_policy') ?? []))
  const isBounded = infos.some((info) => Number(info?.get('maxmemory') ?? 0) > 0)
  const detail = [...policies].join(', ')
  if (detail === '') return unknown('eviction')
  if (!isBounded) return {name: 'eviction', status: 'ok', detail: `never: no limit of memory (${detail})`}
  if (detail === 'noeviction') return {name: 'eviction', status: 'ok', detail}
  return {
    name: 'eviction',
    status: 'warning',
    detail: `${detail}: a server that is full throws rows away, and nobody is told`,
    remedy: 'Set maxmemory-policy to noeviction: loads then fail instead.',
  }
}

function fillOf(infos: readonly (ServerInfo | undefined)[]): Finding {
  const shares = infos.flatMap((info) => {
    const limit = Number(info?.get('maxmemory') ?? 0)
    return limit > 0 ? Number(info?.get('used_memory') ?? 0) / limit : []
  })
  const used = infos.reduce((sum, info) => sum + Number(info?.get('used_memory') ?? 0), 0)
  const megabytes = `${Math.round(used / 2 ** 20)} MiB`
  if (used === 0) return unknown('memory')
  const fullest = Math.max(0, ...shares)
  if (fullest < fullShare) {
    const share = shares.length === 0 ? '' : `, ${Math.round(fullest * 100)} % of the limit`
    return {name: 'memory', status: 'ok', detail: `${megabytes}${share}`}
  }
  return {
    name: 'memory',
    status: 'warning',
    detail: `${megabytes}, ${Math.round(fullest * 100)} % of the limit`,
    remedy: 'Give Redis more memory (maxmemory), or keep fewer rows: a shorter ttl.',
  }
}

function unknown(name: string, detail = ''): Finding {
  return {
    name,
    status: 'ok',
    detail: [detail, 'the server does not tell this user'].filter(Boolean).join(': '),
  }
}
