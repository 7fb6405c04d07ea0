import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {readClasspath} from './cassandra-classpath.mjs'
import {findJava} from './java.mjs'

const besides = (name) => fileURLToPath(new URL(name, import.meta.url))

/**
 * The command that runs a node of Cassandra in the foreground, its settings written into its folder. All nodes of a
 * cluster are seeds: none waits for data of another, so a cluster starts empty. An answered write survives SIGKILL.
 *
 * @param {object} node
 * @param {string} node.folder Holds data and settings; the same folder again is the same node again.
 * @param {string} node.address Of loopback; nodes of a cluster have one each, and the same ports.
 * @param {number} node.port Where clients connect.
 * @param {number} node.storagePort Where nodes meet.
 * @param {readonly string[]} [node.seeds] Addresses of all nodes.
 * @param {object} [node.settings] More of cassandra.yaml.
 * @returns {{command: string, args: string[]}}
 */
export function cassandraNode({folder, address, port, storagePort, seeds = [address], settings = {}}) {
  const java = findJava()
  const classpath = readClasspath()
  if (java === undefined || classpath === undefined)
    throw new Error('Cassandra or Java 17 is not installed: run `npm run services:up`')
  mkdirSync(join(folder, 'tmp'), {recursive: true})
  const yaml = {
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{seeds: seeds.join(',')}],
      },
    ],
    listen_address: address,
    rpc_address: address,
    storage_port: storagePort,
    native_transport_port: port,
    commitlog_sync: 'batch',
    // Dropped tables are gone for good.
    auto_snapshot: false,
    ...settings,
  }
  const settingsFile = join(folder, 'cassandra.yaml')
  // Any JSON is YAML.
  writeFileSync(settingsFile, JSON.stringify(yaml, null, 2))
  const properties = {
    'cassandra.config': pathToFileURL(settingsFile).href,
    'cassandra.storagedir': join(folder, 'data'),
    'logback.configurationFile': besides('cassandra-logback.xml'),
    'java.io.tmpdir': join(folder, 'tmp'),
    'cassandra-foreground': 'yes',
    // Nothing to wait for: all nodes are here.
    'cassandra.ring_delay_ms': '0',
    'cassandra.skip_wait_for_gossip_to_settle': '0',
    'cassandra.superuser_setup_delay_ms': '0',
  }
  return {
    command: java,
    args: [
      `@${besides('cassandra-java17.options')}`,
      '-Xmx1g',
      '-XX:+ExitOnOutOfMemoryError',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      ...['-cp', classpath, 'org.apache.cassandra.service.CassandraDaemon'],
    ],
  }
}
