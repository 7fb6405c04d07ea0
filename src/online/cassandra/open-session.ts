import cassandra, {type Client} from 'cassandra-driver'
import type {CassandraSettings} from './cassandra-settings.js'

const connectTimeoutMillis = 5000
/** The longest that one request may take before it counts as lost. */
const requestTimeoutMillis = 5000
const heartbeatMillis = 10_000
/** Of prepared statements: a project has a few for each view. */
const mostStatements = 5000

/** A session of the driver, connected. It sends nothing again by itself. */
export async function openSession(settings: CassandraSettings): Promise<Client> {
  const {contactPoints, port, localDatacenter, authProvider, tls, checkLogin} = settings
  await checkLogin?.()
  const client = new cassandra.Client({
    contactPoints: contactPoints.map((point) => (/:\d+$/.test(point) ? point : `${point}:${port}`)),
    localDataCenter: localDatacenter,
    // The driver (4.10) offers a newer one that it can't speak; by TLS it then throws where nobody catches it.
    protocolOptions: {port, maxVersion: cassandra.types.protocolVersion.v4},
    ...(authProvider === undefined ? {} : {authProvider}),
    ...(tls === undefined ? {} : {sslOptions: tls}),
    socketOptions: {connectTimeout: connectTimeoutMillis, readTimeout: requestTimeoutMillis},
    pooling: {heartBeatInterval: heartbeatMillis},
    encoding: {useBigIntAsLong: true},
    maxPrepared: mostStatements,
    policies: {retry: new cassandra.policies.retry.FallthroughRetryPolicy()},
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.shutdown().catch(() => undefined)
    closeSockets(client)
    throw error
  }
}

/** A client that failed to connect leaves sockets open, which would keep the process alive: its `shutdown` does nothing. */
function closeSockets(client: Client): void {
  const {controlConnection, hosts} = client as unknown as {
    readonly controlConnection?: {
      shutdown?(): void
      readonly connection?: {close?(done: () => void): void} | null
    }
    readonly hosts?: {forEach(close: (host: {shutdown?(waits: boolean): unknown}) => void): void}
  }
  controlConnection?.connection?.close?.(() => undefined)
  controlConnection?.shutdown?.()
  hosts?.forEach((host) => void host.shutdown?.(true))
}
