/** What the driver's errors mean: whether to send again, and what to tell. */
import cassandra from 'cassandra-driver'
import {FeatureStoreError} from '../../errors.js'
import type {RefusalCause} from '../pacing/write-pacer.js'
import type {CassandraSettings} from './cassandra-settings.js'

const {responseErrorCodes} = cassandra.types

const aboutStatement: ReadonlySet<number> = new Set<number>([
  responseErrorCodes.invalid,
  responseErrorCodes.configError,
  responseErrorCodes.syntaxError,
])

/** https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec, section 9 */
const refusalCodes: ReadonlyMap<number, RefusalCause> = new Map<number, RefusalCause>([
  [responseErrorCodes.overloaded, 'overloaded'],
  [responseErrorCodes.writeTimeout, 'timeout'],
  [responseErrorCodes.readTimeout, 'timeout'],
  [responseErrorCodes.unavailableException, 'unavailable'],
  [responseErrorCodes.isBootstrapping, 'unavailable'],
  [responseErrorCodes.writeFailure, 'unavailable'],
  [responseErrorCodes.readFailure, 'unavailable'],
  [responseErrorCodes.serverError, 'unavailable'],
])

/** Whether the server refused a statement for what it says: a table or column that is not there, say. */
export function isAboutStatement(error: unknown): error is Error & {readonly code: number} {
  return aboutStatement.has(codeOf(error) ?? -1)
}

/** Whether each server had forgotten the statement and could not prepare it again; the driver keeps to itself why. */
export function isUnprepared(error: unknown): boolean {
  if (error instanceof cassandra.errors.NoHostAvailableError)
    return innerErrorsOf(error).some((inner) => isUnprepared(inner))
  return codeOf(error) === responseErrorCodes.unprepared
}

/** For who asks for more than is there, or than the user may do. */
export function statementFailure(
  error: Error,
  {product, keyspace}: Pick<CassandraSettings, 'product' | 'keyspace'>,
): FeatureStoreError {
  return new FeatureStoreError(
    'FS_STORE_UNAVAILABLE',
    `${product}, keyspace ${keyspace}: ${error.message.replace(/\.?$/, '.')}`,
    {
      hint: 'Create the keyspace (for Cassandra `create_keyspace` does), or see what the user may do.',
      cause: error,
    },
  )
}

/** Whether the user has not the right to what was asked for. */
export function isAboutRights(error: unknown): error is Error {
  return codeOf(error) === responseErrorCodes.unauthorized
}

function codeOf(error: unknown): number | undefined {
  return error instanceof cassandra.errors.ResponseError ? error.code : undefined
}

/** Why the store did not take a request for now; undefined where it would be the same again. */
export function refusalCauseOf(error: unknown): RefusalCause | undefined {
  if (error instanceof cassandra.errors.NoHostAvailableError) {
    const inner = innerErrorsOf(error)
    // No host was tried: all of them are known to be down, and are tried again by the driver.
    if (inner.length === 0) return 'connection'
    const causes = inner.map(refusalCauseOf)
    return causes.find((cause) => cause !== undefined)
  }
  if (error instanceof cassandra.errors.AuthenticationError) return undefined
  // Of a data center that these hosts are not in: it will not come by itself.
  if (error instanceof Error && /data ?center/i.test(error.message)) return undefined
  if (error instanceof cassandra.errors.OperationTimedOutError) return 'timeout'
  if (error instanceof cassandra.errors.BusyConnectionError) return 'overloaded'
  const code = codeOf(error)
  if (code === undefined) return isConnectionError(error) ? 'connection' : undefined
  return refusalCodes.get(code)
}

/** The driver passes on what the socket says, and words of its own for a connection that is gone. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (/certificate|self.signed|ALTNAME/i.test(error.message)) return false
  return (
    'isSocketError' in error ||
    /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Connection timeout|Socket was closed|connection was closed|Could not be (opened|connected)/i.test(
      error.message,
    )
  )
}

function innerErrorsOf(error: cassandra.errors.NoHostAvailableError): readonly unknown[] {
  return Object.values(error.innerErrors as Readonly<Record<string, unknown>>)
}

/** The message that a user needs is inside, one for each host; the first will do. */
export function reasonOf(error: unknown): string {
  if (error instanceof cassandra.errors.NoHostAvailableError) {
    const [first] = innerErrorsOf(error)
    return first === undefined ? 'no host answers' : reasonOf(first)
  }
  // The rest of what OpenSSL says is about its own code.
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

export function hintFor(reason: string, product: CassandraSettings['product']): string {
  return product === 'Amazon Keyspaces' ? keyspacesHintFor(reason) : cassandraHintFor(reason)
}

function cassandraHintFor(reason: string): string {
  if (/credentials|password|username|authenticat|permission|unauthorized/i.test(reason))
    return 'Check the username, the password and what that user may do.'
  if (/certificate|TLS|SSL|ALTNAME|self.signed/i.test(reason))
    return 'Check `online_store.tls` and the certificate of the server.'
  if (/data ?center/i.test(reason))
    return 'Set `online_store.load_balancing.local_dc` to the data center of these hosts.'
  if (/ECONNRESET|Socket was closed/i.test(reason))
    return 'The server hung up. If it speaks TLS, set `online_store.tls`.'
  if (/not enough replicas|Cannot achieve consistency/i.test(reason))
    return 'Fewer nodes are up than the replicas of the keyspace and `consistency` ask for. `create_keyspace` only makes a keyspace; one that is there is changed with ALTER KEYSPACE.'
  return 'Check `online_store.hosts` and that the server is up.'
}

function keyspacesHintFor(reason: string): string {
  if (/signature expired/i.test(reason))
    return 'Check the clock of this machine: Amazon takes signatures of some minutes.'
  if (/credentials|authenticat|permission|unauthorized|access ?denied|signature|security token/i.test(reason))
    return 'Check the AWS credentials (or `online_store.role_arn`) and what their policy allows in Amazon Keyspaces.'
  if (/certificate|TLS|SSL|ALTNAME|self.signed/i.test(reason))
    return 'Check `online_store.endpoint` and, for one of your own, `online_store.ca_file`.'
  return 'Check `online_store.region` (or `endpoint`), and that this network reaches it: from a private one by a VPC endpoint.'
}
