import type {Instant} from '../../definitions/instant.js'
import type {CassandraConnection} from './cassandra-connection.js'

/**
 * The time of the servers, by the clock of this process. Of rows that are equal in their times the one that was written last
 * stays, and they come from machines whose own clocks may be minutes apart; those of the servers agree, for else Cassandra's
 * own writes and expiries went wrong.
 */
export class StoreClock {
  readonly #connection: CassandraConnection
  #started: Promise<() => Instant> | undefined

  constructor(connection: CassandraConnection) {
    this.#connection = connection
  }

  /** Asks a server once. The clock does not go back. Throws FS_STORE_UNAVAILABLE. */
  start(): Promise<() => Instant> {
    return (this.#started ??= this.#ask().catch((error: unknown) => {
      this.#started = undefined
      throw error
    }))
  }

  async #ask(): Promise<() => Instant> {
    const askedAt = performance.now()
    const millis = await askMillis(this.#connection)
    // Between the two: half of the way is there, half is back.
    const ahead = millis - (askedAt + performance.now()) / 2
    return () => BigInt(Math.round((ahead + performance.now()) * 1000))
  }
}

/** The time of a server, in milliseconds since 1970. Throws FS_STORE_UNAVAILABLE. */
export async function askMillis(connection: CassandraConnection, signal?: AbortSignal): Promise<number> {
  const {rows} = await connection.run(
    {query: 'SELECT toUnixTimestamp(now()) AS now FROM system.local', params: []},
    signal,
  )
  return Number(rows[0]?.['now'] as bigint)
}
