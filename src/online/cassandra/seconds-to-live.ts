import type {Instant} from '../../definitions/instant.js'
import type {RowLife} from '../online-store.js'

const second = 1_000_000n
/** Twenty years: https://cassandra.apache.org/doc/latest/cassandra/developing/cql/dml.html */
const longestLife = 630_720_000n
/** Where older versions, and newer ones that share data with them, end: https://issues.apache.org/jira/browse/CASSANDRA-14092 */
const lastExpiry = 2_147_483_646n

/**
 * What TTL a row gets, in seconds: 0 for ever, also where the server can't count that far. What is too old already goes a
 * second later.
 */
export function secondsToLive(event: Instant, life: RowLife | undefined, serverNow: Instant): number {
  if (life === undefined) return 0
  const left = (event + life.keepFor - life.now + second - 1n) / second
  if (left < 1n) return 1
  return left > longestLife || serverNow / second + left > lastExpiry ? 0 : Number(left)
}
