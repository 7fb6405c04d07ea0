/** Where `services:up` puts its servers on loopback: ports that nobody else's Redis or Cassandra has by default. */
export const redisPort = Number(process.env.SERVICES_REDIS_PORT || 27379)
export const cassandraPort = Number(process.env.SERVICES_CASSANDRA_PORT || 29042)
