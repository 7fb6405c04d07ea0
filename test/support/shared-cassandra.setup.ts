import type {TestProject} from 'vitest/node'
import {greet, greetings} from '../../scripts/services/answers.mjs'
import {cassandraPort} from '../../scripts/services/ports.mjs'
import {CassandraServer} from './cassandra-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the Cassandra that the files of a run share. */
    readonly cassandraPort: number
  }
}

/** The Cassandra of `npm run services:up` where that is up, else one for this run. */
export default async function setup({provide}: TestProject): Promise<(() => Promise<void>) | undefined> {
  if ((await greet(cassandraPort, greetings.cassandra)) === 'answers') {
    provide('cassandraPort', cassandraPort)
    return undefined
  }
  const server = await CassandraServer.start()
  provide('cassandraPort', server.port)
  return () => server[Symbol.asyncDispose]()
}
