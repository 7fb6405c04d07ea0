import {setTimeout as sleep} from 'node:timers/promises'
import {
  BatchExecuteStatementCommand,
  CancelStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  type RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {redshiftClients, rowsOf, runStatement, workgroup} from '../support/redshift-statements.js'

let aws: AwsStandIn
let client: RedshiftDataClient

beforeAll(async () => {
  aws = await startAws()
  client = redshiftClients(aws.url).redshift
})

afterAll(async () => {
  client.destroy()
  await aws.dispose()
})

const rows = (sql: string) => rowsOf(client, sql)
const run = (...[sql, more]: [string, Parameters<typeof runStatement>[2]?]) => runStatement(client, sql, more)

describe('batches', () => {
  const batch = async (Sqls: string[], more: object = {}) => {
    const {Id} = await client.send(new BatchExecuteStatementCommand({Sqls, ...workgroup, ...more}))
    return client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
  }

  test('parts have ids of their own, and results by those only', async () => {
    const {Id, Status, SubStatements} = await batch([
      'CREATE TEMP TABLE b AS SELECT 1 AS n',
      'SELECT n FROM b',
    ])
    expect(Status).toBe('FINISHED')
    expect(SubStatements!.map((part) => [part.Id, part.Status, part.HasResultSet])).toEqual([
      [`${Id!}:1`, 'FINISHED', false],
      [`${Id!}:2`, 'FINISHED', true],
    ])
    const {Records} = await client.send(new GetStatementResultCommand({Id: `${Id!}:2`}))
    expect(Records).toEqual([[{longValue: 1}]])
    await expect(client.send(new GetStatementResultCommand({Id: Id!}))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  test('a part that fails undoes those before, unless each is for itself', async () => {
    const sqls = (table: string) => [
      `CREATE TABLE ${table} AS SELECT 1 AS n`,
      'SELECT * FROM nowhere',
      'SELECT 1',
    ]
    expect(await batch(sqls('undone'))).toMatchObject({
      Status: 'FAILED',
      Error: 'Query #2 failed with ERROR: relation "nowhere" does not exist',
      SubStatements: [{Status: 'FINISHED'}, {Status: 'FAILED'}, {Status: 'ABORTED'}],
    })
    await expect(rows('SELECT n FROM undone')).rejects.toThrow('does not exist')
    await batch(sqls('kept'), {ExecutionMode: 'AUTO_COMMIT'})
    expect(await rows('SELECT n FROM kept')).toEqual([[1]])
  })

  test('one that is cancelled, whenever that is, keeps nothing unless it had finished', async () => {
    await run('CREATE TABLE begun (n int)')
    const ended: (string | undefined)[] = []
    for (let n = 0; n < 20; n += 1) {
      const Sqls = [...Array.from({length: 30}, () => 'SELECT 1'), `INSERT INTO begun VALUES (${n})`]
      const {Id} = await client.send(new BatchExecuteStatementCommand({Sqls, ...workgroup}))
      await sleep(n * 3)
      const cancelling = client.send(new CancelStatementCommand({Id: Id!}))
      // It had ended then.
      await cancelling.catch((error: unknown) => expect(error).toMatchObject({name: 'ValidationException'}))
      const {Status} = await client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
      expect(['ABORTED', 'FINISHED']).toContain(Status)
      expect(await rows(`SELECT count(*) FROM begun WHERE n = ${n}`)).toEqual([
        [Status === 'FINISHED' ? 1 : 0],
      ])
      ended.push(Status)
    }
    expect(ended[0]).toBe('ABORTED')
  })
})

describe('sessions', () => {
  test('a session keeps its temporary tables; others do not see them', async () => {
    const {SessionId} = await client.send(
      new ExecuteStatementCommand({
        ...{Sql: 'CREATE TEMP TABLE mine AS SELECT 7 AS n', ...workgroup},
        ...{SessionKeepAliveSeconds: 60, WaitTimeSeconds: 20},
      }),
    )
    const seen = await run('SELECT n FROM mine', {SessionId: SessionId!})
    expect(seen).toMatchObject({Status: 'FINISHED', SessionId, ResultRows: 1})
    expect(await run('SELECT n FROM mine')).toMatchObject({Status: 'FAILED'})
  })

  test('a failure poisons a transaction until it is rolled back, and nothing outside of one', async () => {
    const begun = await run('BEGIN', {SessionKeepAliveSeconds: 60})
    const session = {SessionId: begun.SessionId!}
    expect(await run('SELECT * FROM nowhere', session)).toMatchObject({Status: 'FAILED'})
    expect(await run('SELECT 1', session)).toMatchObject({
      Status: 'FAILED',
      Error: 'ERROR: current transaction is aborted, commands ignored until end of transaction block',
    })
    expect(await run('ROLLBACK', session)).toMatchObject({Status: 'FINISHED'})
    expect(await run('SELECT * FROM nowhere', session)).toMatchObject({Status: 'FAILED'})
    expect(await run('SELECT 1', session)).toMatchObject({Status: 'FINISHED'})
  })

  test('it takes one statement at a time, and ends when it is not kept', async () => {
    const opened = await run('SELECT 1', {SessionKeepAliveSeconds: 60})
    const SessionId = opened.SessionId!
    await aws.faults([{operation: 'Redshift.Statement', path: 'SELECT 2', delayMillis: 60_000}])
    const {Id} = await client.send(new ExecuteStatementCommand({Sql: 'SELECT 2', SessionId}))
    await expect(run('SELECT 3', {SessionId})).rejects.toThrow('busy')
    while ((await client.send(new DescribeStatementCommand({Id: Id!}))).Status !== 'STARTED');
    await client.send(new CancelStatementCommand({Id: Id!}))
    await client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
    await run('SELECT 4', {SessionId, SessionKeepAliveSeconds: 0})
    let isOpen = true
    while (isOpen)
      await run('SELECT 5', {SessionId, SessionKeepAliveSeconds: 0}).catch((error: unknown) => {
        isOpen = false
        expect(error).toMatchObject({name: 'ValidationException'})
      })
  })
})
