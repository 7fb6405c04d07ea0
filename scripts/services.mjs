// `npm run services:up`: one Redis, one Cassandra, one PostgreSQL and a stand-in for AWS on loopback, for the tests of stores and to try them;
// installs what is missing where it may (Debian, as root). `npm run services:down` ends those, and no other. Both may run twice.
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {greetings} from './services/answers.mjs'
import {installMoto} from './services/aws/moto.mjs'
import {BackgroundServer} from './services/background-server.mjs'
import {fetchClasspath, readClasspath} from './services/cassandra-classpath.mjs'
import {cassandraNode} from './services/cassandra-node.mjs'
import {installDuckDbExtensions} from './services/duckdb-extensions.mjs'
import {installTools} from './services/install-tools.mjs'
import {awsPort, cassandraPort, postgresPort, redisPort} from './services/ports.mjs'
import {postgresServer} from './services/postgres-server.mjs'

const services = [
  {
    name: 'Redis',
    port: redisPort,
    settings: `online_store: {type: redis, connection_string: "127.0.0.1:${redisPort}"}`,
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
    settings: `online_store: {type: cassandra, hosts: [127.0.0.1], port: ${cassandraPort}, keyspace: features, create_keyspace: {replication_factor: 1}, load_balancing: {local_dc: datacenter1}}`,
    greeting: greetings.cassandra,
    commandIn: (folder) =>
      cassandraNode({folder, address: '127.0.0.1', port: cassandraPort, storagePort: cassandraPort + 1}),
    marks: ['CassandraDaemon', `/cassandra-${cassandraPort}/cassandra.yaml`],
  },
  {
    name: 'PostgreSQL',
    port: postgresPort,
    settings: `registry: postgres://fs@127.0.0.1:${postgresPort}/postgres`,
    greeting: greetings.postgres,
    // As root it runs as another user, who has no way into the cache.
    folder: join(tmpdir(), `feature-repo-postgresql-${postgresPort}`),
    commandIn: (folder) => postgresServer({folder, port: postgresPort}),
    marks: ['postgres ', `feature-repo-postgresql-${postgresPort}`],
  },
  {
    name: 'AWS',
    port: awsPort,
    settings: [
      `AWS_ENDPOINT_URL=http://127.0.0.1:${awsPort}`,
      ...['AWS_REGION=us-east-1', 'AWS_ACCESS_KEY_ID=test', 'AWS_SECRET_ACCESS_KEY=test'],
    ].join('\n  '),
    greeting: greetings.aws,
    commandIn: (folder) => ({
      command: process.execPath,
      args: [
        fileURLToPath(new URL('services/aws/aws-stand-in.mjs', import.meta.url)),
        String(awsPort),
        folder,
      ],
    }),
    marks: ['aws-stand-in.mjs', String(awsPort)],
  },
].map((service) => ({...service, server: new BackgroundServer(service)}))

async function up() {
  installTools()
  if (readClasspath() === undefined) {
    console.log('Fetching Cassandra from Maven Central')
    fetchClasspath()
  }
  installMoto()
  installDuckDbExtensions()
  for (const {name, port, server, settings} of services)
    console.log(`${name} ${await server.up()} at 127.0.0.1:${port}\n  ${settings}`)
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
