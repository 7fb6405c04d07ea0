import type {Instant} from '../../definitions/instant.js'
import {clockFinding, millisOf, type Examination, type Finding} from '../../examination.js'
import type {CassandraConnection} from './cassandra-connection.js'
import {isAboutRights} from './driver-errors.js'
import {noteTableName} from './cassandra-note.js'
import {quoted} from './table-names.js'

/** Looks at the node that answers, and at the keyspace. Throws FS_STORE_UNAVAILABLE. */
export async function* examineCassandra(connection: CassandraConnection, clock: () => Instant): Examination {
  const {settings} = connection
  const asked = millisOf(clock())
  const {rows} = await connection.run({
    query: 'SELECT release_version, data_center, toUnixTimestamp(now()) AS now FROM system.local',
    params: [],
  })
  const answered = millisOf(clock())
  const local = rows[0]
  yield {
    name: 'reachable',
    status: 'ok',
    detail: `${settings.contactPoints.join(', ')}, datacenter ${String(local?.['data_center'])}, answers in ${answered - asked} ms`,
  }
  yield clockFinding(Number(local?.['now'] as bigint), [asked, answered])
  yield encryptionOf(connection)
  yield {name: 'version', status: 'ok', detail: `${settings.product} ${String(local?.['release_version'])}`}
  const keyspace = await keyspaceOf(connection)
  yield keyspace
  if (keyspace.status !== 'failed') yield await rightsOf(connection)
}

function encryptionOf({settings: {tls, contactPoints}}: CassandraConnection): Finding {
  if (tls !== undefined) return {name: 'encryption', status: 'ok', detail: 'TLS'}
  if (contactPoints.every((host) => /^(localhost|127\.|\[?::1)/.test(host)))
    return {name: 'encryption', status: 'ok', detail: 'none, on this machine'}
  return {
    name: 'encryption',
    status: 'warning',
    detail: 'none: features and password go over the network in the clear',
    remedy: 'Turn on client_encryption_options on the servers, and set `tls`.',
  }
}

async function keyspaceOf(connection: CassandraConnection): Promise<Finding> {
  const {keyspace, createWithReplicas, product} = connection.settings
  const {rows} = await connection.run({
    query: 'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
    params: [keyspace],
  })
  const replication = rows[0]?.['replication'] as Readonly<Record<string, string>> | undefined
  if (replication === undefined) {
    if (createWithReplicas !== undefined)
      return {name: 'keyspace', status: 'ok', detail: `${keyspace}, which \`fs apply\` makes`}
    return {
      name: 'keyspace',
      status: 'failed',
      detail: `${product} has no keyspace ${keyspace}`,
      remedy: 'Create it; for Cassandra `create_keyspace: {replication_factor: 3}` lets `fs apply` do it.',
    }
  }
  const factors = Object.entries(replication).filter(([name]) => name !== 'class')
  const detail = `${keyspace}, replicas ${factors.map(([place, count]) => `${place}: ${count}`).join(', ')}`
  if (factors.some(([, count]) => Number(count) > 1) || factors.length !== 1)
    return {name: 'keyspace', status: 'ok', detail}
  return {
    name: 'keyspace',
    status: 'warning',
    detail: `${detail}: a node that is lost takes its rows with it`,
    remedy: 'Give the keyspace three replicas, unless this is a trial.',
  }
}

/** A write with a condition that never holds changes nothing, and needs the right to. */
async function rightsOf(connection: CassandraConnection): Promise<Finding> {
  const {keyspace} = connection.settings
  const {rows} = await connection.run({
    query: 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?',
    params: [keyspace, noteTableName],
  })
  if (rows.length === 0)
    return {name: 'rights', status: 'ok', detail: 'seen by `fs apply`, which makes the first tables'}
  try {
    await connection.run({
      query: `UPDATE ${quoted(keyspace)}.${noteTableName} SET text = ? WHERE name = ? IF text = ?`,
      params: ['', 'nobody', 'nothing'],
    })
    return {name: 'rights', status: 'ok', detail: 'the user may read and load'}
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    if (!isAboutRights(cause)) throw error
    return {
      name: 'rights',
      status: 'failed',
      detail: cause.message.replace(/\.$/, ''),
      remedy: `GRANT SELECT, MODIFY, CREATE, ALTER, DROP ON KEYSPACE ${keyspace} TO the user.`,
    }
  }
}
