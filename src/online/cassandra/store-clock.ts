import type {types} from 'cassandra-driver'
import type {Instant} from '../../definitions/instant.js'
import type {WritePacer} from '../pacing/write-pacer.js'
import type {CassandraConnection} from './cassandra-connection.js'

export const selectTime = 'SELECT toUnixTimestamp(now()) AS now FROM system.local'

/**
 * The time of the servers, by the clock of this process. Of rows that are equal in their times the one that was written last
 * stays, and they come from machines whose own clocks may be minutes apart; those of the servers agree, for else Cassandra's
 * own writes and expiries went wrong.
 */
export class StoreClock {
  readonly #connection: CassandraConnection
  #started: (() => Instant) | undefined

  constructor(connection: CassandraConnection) {
    this.#connection = connection
  }

  /** Asks a server, where none was asked yet. The clock does not go back. Throws what the pacer does. */
  async start(pacer: Pick<WritePacer, 'ask'>): Promise<() => Instant> {
    if (this.#started !== undefined) return this.#started
    const ahead = await pacer.ask(async () => {
      const askedAt = performance.now()
      const answer = await this.#connection.readOnce({query: selectTime, params: []})
      // It was told between the two: half of the way is there, half is back.
      return millisOf(answer) - (askedAt + performance.now()) / 2
    })
    return (this.#started ??= () => BigInt(Math.round((ahead + performance.now()) * 1000)))
  }
}

/** What `selectTime` answers, in milliseconds since 1970. */
export function millisOf({rows}: types.ResultSet): number {
  return Number(rows[0]?.['now'] as bigint)
}
