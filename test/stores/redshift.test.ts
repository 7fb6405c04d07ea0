import {afterAll, beforeAll, expect, test} from 'vitest'
import {describeOfflineStore} from '../conformance/offline-store.js'
import {checkRedshiftSql} from '../support/redshift-sql/check-redshift-sql.js'
import {startRedshift, type RedshiftServer} from '../support/redshift-store.js'

let server: RedshiftServer
beforeAll(async () => {
  server = await startRedshift()
})
afterAll(() => server[Symbol.asyncDispose]())

describeOfflineStore('Redshift', () => server.open(), {runs: 10})

test('every statement of the contract is Redshift’s SQL', async () => {
  const statements = (await server.aws.statements()).filter((sql) => !/^(BEGIN|ROLLBACK)$/.test(sql))
  expect(statements.length).toBeGreaterThan(100)
  expect(await checkRedshiftSql([...new Set(statements)])).toEqual([])
})
