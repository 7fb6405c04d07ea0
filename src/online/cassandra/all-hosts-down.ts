import type {Client, Host} from 'cassandra-driver'

/**
 * Calls back when no host of the data center can be reached any more, before the driver itself looks for a way back: one
 * of its control connections that is under way when the session ends outlives it.
 */
export function whenAllHostsAreDown(client: Client, datacenter: string, onDown: () => void): void {
  const watch = (host: Host): void => {
    host.prependListener('down', () => {
      const near = client.hosts.values().filter((one) => one.datacenter === datacenter)
      if (near.every((one) => !one.isUp())) onDown()
    })
  }
  client.hosts.values().forEach(watch)
  client.on('hostAdd', watch)
}
