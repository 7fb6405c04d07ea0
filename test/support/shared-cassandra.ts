import {randomBytes} from 'node:crypto'
import {Client} from 'cassandra-driver'
import {inject} from 'vitest'

export interface SharedCassandra extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly datacenter: string
  /** Empty, and nobody else's; it is dropped in the end. */
  readonly keyspace: string
  /** Connected, with that keyspace. */
  readonly client: Client
}

/** A keyspace in the Cassandra that all test files of a run share. Tests that kill, or need TLS, start a server. */
export async function sharedCassandra(): Promise<SharedCassandra> {
  const place = {host: '127.0.0.1', port: inject('cassandraPort'), datacenter: 'datacenter1'}
  const keyspace = `t${randomBytes(8).toString('hex')}`
  const client = new Client({
    contactPoints: [`${place.host}:${place.port}`],
    localDataCenter: place.datacenter,
  })
  await client.execute(
    `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  )
  await client.execute(`USE ${keyspace}`)
  return {
    ...place,
    keyspace,
    client,
    async [Symbol.asyncDispose]() {
      await client.execute(`DROP KEYSPACE ${keyspace}`)
      await client.shutdown()
    },
  }
}

/** Leaves the keyspace as it was. */
export async function dropAllTables(client: Client, keyspace: string): Promise<void> {
  const {rows} = await client.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [
    keyspace,
  ])
  for (const row of rows) await client.execute(`DROP TABLE ${keyspace}."${String(row['table_name'])}"`)
}
