import {afterAll, beforeAll} from 'vitest'
import {describeOfflineStore} from '../conformance/offline-store.js'
import {startRedshift, type RedshiftServer} from '../support/redshift-store.js'

let server: RedshiftServer
beforeAll(async () => {
  server = await startRedshift()
})
afterAll(() => server[Symbol.asyncDispose]())

describeOfflineStore('Redshift', () => server.open(), {runs: 10})
