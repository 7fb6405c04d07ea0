// `npm run services:up`: one Redis and one Cassandra on loopback, for the tests of stores and to try them; installs what is
// missing where it may (Debian, as root). `npm run services:down` ends those, and no other. Both may run twice.
import {greetings} from './services/answers.mjs'
import {BackgroundServer} from './services/background-server.mjs'
import {fetchClasspath, readClasspath} from './services/cassandra-classpath.mjs'
import {cassandraNode} from './services/cassandra-node.mjs'
import {installTools} from './services/install-tools.mjs'
import {cassandraPort, redisPort} from './services/ports.mjs'

const services = [
  {
    name: 'Redis',
    port: redisPort,
    settings: `{type: redis, connection_string: "127.0.0.1:${redisPort}"}`,
    greeting: greetings.redis,
    commandIn: (folder) => ({
      command: 'redis-server',
      args: [
        ...['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', folder],
        ...['--save', '', '--appendonly', 'no'],
      ],
    }),
    // Once it runs it shows its address instead of its arguments.
    marks: ['redis-server ', String(redisPort)],
  },
  {
    name: 'Cassandra',
    port: cassandraPort,
    settings: `{type: cassandra, hosts: [127.0.0.1], port: ${cassandraPort}, keyspace: features, create_keyspace: {replication_factor: 1}, load_balancing: {local_dc: datacenter1}}`,
    greeting: greetings.cassandra,
    commandIn: (folder) =>
      cassandraNode({folder, address: '127.0.0.1', port: cassandraPort, storagePort: cassandraPort + 1}),
    marks: ['CassandraDaemon', `/cassandra-${cassandraPort}/cassandra.yaml`],
  },
].map((service) => ({...service, server: new BackgroundServer(service)}))

async function up() {
  installTools()
  if (readClasspath() === undefined) {
    console.log('Fetching Cassandra from Maven Central')
    fetchClasspath()
  }
  for (const {name, port, server, settings} of services)
    console.log(`${name} ${await server.up()} at 127.0.0.1:${port}\n  online_store: ${settings}`)
}

async function down() {
  for (const {name, server} of services) console.log(`${name} ${await server.down()}`)
}

const verb = {up, down}[process.argv[2]]
if (verb === undefined) {
  console.error('usage: node scripts/services.mjs up|down')
  process.exit(2)
}
try {
  await verb()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
