/** Where `services:up` puts its servers on loopback: ports that nobody else's server has by default. */
export const redisPort = Number(process.env.SERVICES_REDIS_PORT || 27379)
export const cassandraPort = Number(process.env.SERVICES_CASSANDRA_PORT || 29042)
export const postgresPort = Number(process.env.SERVICES_POSTGRESQL_PORT || 25432)
export const awsPort = Number(process.env.SERVICES_AWS_PORT || 24566)
