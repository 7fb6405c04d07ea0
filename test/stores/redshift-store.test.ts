/** What the store on Redshift does when the service is busy, slow or refuses, and what it leaves behind. */
import {mkdirSync, readFileSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import {
  CancelStatementCommand,
  DescribeStatementCommand,
  ListStatementsCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {machineClock} from '../../src/aws/client-settings.js'
import type {DataSource} from '../../src/definitions/definition.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {redshiftSettings} from '../../src/offline/redshift/redshift-settings.js'
import {DataApi} from '../../src/offline/redshift/data-api.js'
import {WarehouseSession} from '../../src/offline/redshift/warehouse-session.js'
import type {OfflineStoreFixture} from '../conformance/offline-store.js'
import {
  columnsOf,
  entityValues,
  featureRows,
  frameQuery,
  latestQuery,
  readFrame,
  readNewest,
  viewJoin,
} from '../support/frames.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'
import {writeParquet} from '../support/parquet.js'
import {startRedshift, type RedshiftServer} from '../support/redshift-store.js'

const time = 1_704_110_400_000_000n
const refusal = {type: 'error', message: 'S3ServiceException:Access Denied,Status 403,Error AccessDenied'}
let server: RedshiftServer
let fixture: OfflineStoreFixture
beforeAll(async () => {
  server = await startRedshift()
  await server.database.query('CREATE TABLE many AS SELECT generate_series(1, 2500)::int4 AS n')
})
beforeEach(async () => {
  fixture = await server.open()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.aws.heal()
  await fixture[Symbol.asyncDispose]()
})
afterAll(() => server[Symbol.asyncDispose]())

async function objectsLeft(): Promise<number> {
  const {s3} = server.aws
  const {KeyCount = 0} = await s3.send(new ListObjectsV2Command({Bucket: 'staging'}))
  return KeyCount
}

async function driverRows() {
  const source = await fixture.writeSource(
    'drivers',
    columnsOf({driver_id: 'int64', happened: 'timestamp', trips: 'int64'}),
    [
      [1n, time, 10n],
      [1n, time + 5n, 11n],
      [2n, time, 2n ** 53n + 1n],
    ],
    'happened',
  )
  return featureRows(source, {driver_id: 'int64'}, {trips: 'int64'}, 'driver_stats')
}

const entities = entityValues({driver_id: 'int64', event_timestamp: 'timestamp'}, [
  [2n, time],
  [1n, time + 4n],
])

test('nothing is left in S3 or on this machine, neither after success nor after failure', async () => {
  // Others of this machine make such folders in the common one.
  const temporary = join(fixture.directory, 'temporary')
  mkdirSync(temporary)
  vi.stubEnv('TMPDIR', temporary)
  const rows = await driverRows()
  const frame = await readFrame(fixture.store, frameQuery(entities, [viewJoin(rows)]))
  expect(frame.rows.map((row) => row[2])).toEqual([2n ** 53n + 1n, 10n])
  await readNewest(fixture.store, latestQuery(rows))
  expect(await objectsLeft()).toBe(0)
  await using job = await fixture.store.retrieve(frameQuery(entities, [viewJoin(rows)]))
  await expect(
    job.writeFile(join(fixture.directory, 'no/such/frame.parquet'), 'parquet'),
  ).rejects.toMatchObject({
    code: 'FS_OUTPUT_FAILED',
  })
  await job[Symbol.asyncDispose]()
  expect(await objectsLeft()).toBe(0)
  expect(await readdir(temporary)).toEqual([])
})

test('a service that is busy or throttles is waited for, and a lost answer runs nothing twice', async () => {
  const rows = await driverRows()
  await server.aws.faults([
    {operation: 'RedshiftData.ExecuteStatement', type: 'ActiveStatementsExceededException', times: 2},
    {operation: 'RedshiftData.DescribeStatement', type: 'ThrottlingException', times: 2},
    {operation: 'RedshiftData.ExecuteStatement', cut: true, after: true, skip: 2},
    {operation: 'S3.PutObject', type: 'SlowDown', status: 503},
  ])
  const before = (await server.aws.statements()).length
  const frame = await readFrame(fixture.store, frameQuery(entities, [viewJoin(rows)]))
  expect(frame.rows.map((row) => row[2])).toEqual([2n ** 53n + 1n, 10n])
  const statements = (await server.aws.statements()).slice(before)
  expect(statements.filter((sql) => sql.startsWith('COPY'))).toHaveLength(1)
  expect(statements.filter((sql) => sql.startsWith('UNLOAD'))).toHaveLength(1)
})

test('a statement that fails is told with the words of the server and its id', async () => {
  const source = {
    kind: 'data_source',
    name: 'broken',
    type: 'redshift',
    timestampField: 'happened',
    query: 'SELECT id, 1/0 AS happened FROM (SELECT 1 AS id) AS one',
  } as const
  const rows = featureRows(source, {id: 'int64'}, {id: 'int64'})
  await expect(readNewest(fixture.store, latestQuery(rows))).rejects.toMatchObject({
    message: expect.stringMatching(/`broken`.*division by zero.*statement [0-9a-f-]{36}/) as string,
  })
  await expect(
    fixture.store.describeSource({source: {...source, query: 'SELECT nothing FROM nowhere'}, inputs: {}}),
  ).rejects.toMatchObject({
    code: 'FS_SOURCE_UNREADABLE',
    message: expect.stringMatching(/`broken`.*nowhere.*statement [0-9a-f-]{36}/) as string,
  })
})

test('a query must be one SELECT that is the same each time', async () => {
  const describe = (query: string) =>
    fixture.store.describeSource({
      source: {kind: 'data_source', name: 'odd', type: 'redshift', query, timestampField: 't'},
      inputs: {},
    })
  await expect(describe("SELECT 'getdate' AS a,\n  getdate() AS t")).rejects.toMatchObject({
    code: 'FS_SOURCE_NOT_REPRODUCIBLE',
    message: expect.stringContaining('line 2, column 3') as string,
  })
  await expect(describe('DELETE FROM drivers')).rejects.toMatchObject({code: 'FS_SOURCE_UNREADABLE'})
  await expect(describe('SELECT 1 AS t; DROP TABLE drivers')).rejects.toMatchObject({
    code: 'FS_SOURCE_UNREADABLE',
  })
  expect(await describe("SELECT 1 AS n, '; getdate()' AS text -- sysdate")).toMatchObject([
    {name: 'n', valueType: 'int32'},
    {name: 'text', valueType: 'string'},
  ])
})

describe('sessions', () => {
  const endless =
    'SELECT count(*) FROM many AS a CROSS JOIN many AS b CROSS JOIN many AS c CROSS JOIN many AS d'
  const open = (more: object = {}) => DataApi.open(redshiftSettings({...server.settings, ...more}))
  const backend = async (session: WarehouseSession) =>
    (await session.rows('SELECT pg_backend_pid()::varchar'))[0]?.[0]
  test('a statement that takes too long is cancelled, and its session free again', async () => {
    await using api = await open({statementTimeout: '300ms'})
    await using session = new WarehouseSession(api)
    const before = await backend(session)
    await expect(session.transaction(() => session.run(endless))).rejects.toMatchObject({
      code: 'FS_QUERY_FAILED',
      message: expect.stringMatching(/did not end within 0.3 s and was cancelled/) as string,
    })
    expect(await backend(session)).toBe(before)
  })

  test('a statement whose command is stopped is cancelled, and the session goes to the next', async () => {
    await using api = await open()
    const stop = new AbortController()
    let before: unknown
    {
      await using session = new WarehouseSession(api, stop.signal)
      before = await backend(session)
      const running = session.transaction(() => session.run(endless))
      setTimeout(() => stop.abort(new Error('stopped by hand')), 200)
      await expect(running).rejects.toThrow('stopped by hand')
    }
    await using session = new WarehouseSession(api)
    expect(await backend(session)).toBe(before)
    const {rows} = await server.database.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = 'dev' AND state <> 'idle' AND pid <> pg_backend_pid()`,
    )
    expect(rows).toEqual([{n: 0}])
  })

  test('what can not be cancelled is told', async () => {
    await using api = await open({statementTimeout: '300ms'})
    await using session = new WarehouseSession(api)
    await server.aws.faults([
      {operation: 'RedshiftData.CancelStatement', type: 'AccessDeniedException', message: 'not you'},
    ])
    await expect(session.run(`${endless} WHERE a.n < 30`)).rejects.toMatchObject({
      message: expect.stringMatching(/may still run, for it can't be cancelled: not you/) as string,
    })
    await server.database.query(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%WHERE a.n < 30%' AND pid <> pg_backend_pid()`,
    )
  })

  test('what somebody else cancels is told as that', async () => {
    await using api = await open()
    await using session = new WarehouseSession(api)
    const running = session.run(`${endless} WHERE b.n < 40`)
    const client = new RedshiftDataClient({})
    const cancelled = async () => {
      const {Statements = []} = await client.send(new ListStatementsCommand({Status: 'STARTED'}))
      for (const {Id} of Statements) await client.send(new CancelStatementCommand({Id}))
      return Statements.length
    }
    await vi.waitUntil(cancelled, {timeout: 10_000})
    await expect(running).rejects.toMatchObject({
      code: 'FS_QUERY_FAILED',
      message: expect.stringMatching(/the statement was cancelled \(statement/) as string,
    })
    client.destroy()
  })

  test('one serves statement after statement; one that has ended is replaced, but not within a transaction', async () => {
    await using api = await open()
    const pids: unknown[] = []
    const next = async () => {
      await using session = new WarehouseSession(api)
      pids.push(await backend(session))
    }
    const ended = {type: 'ValidationException', message: 'Session x does not exist'}
    await next()
    await next()
    await server.aws.faults([{operation: 'RedshiftData.ExecuteStatement', ...ended}])
    await next()
    await next()
    expect(pids[1]).toBe(pids[0])
    expect(pids[2]).not.toBe(pids[1])
    expect(pids[3]).toBe(pids[2])
    await server.aws.faults([{operation: 'RedshiftData.ExecuteStatement', skip: 1, ...ended}])
    const lost = async () => {
      await using session = new WarehouseSession(api)
      await session.transaction(() => session.run('CREATE TEMP TABLE kept (n int)'))
    }
    await expect(lost()).rejects.toThrow('does not exist')
    await next()
    expect(pids[4]).not.toBe(pids[3])
  })
})

test('a statement of more than 100 KB is refused before it is sent', async () => {
  await using api = await DataApi.open(redshiftSettings(server.settings))
  await using session = new WarehouseSession(api)
  await expect(session.run(`SELECT '${'x'.repeat(110_000)}'`)).rejects.toMatchObject({
    code: 'FS_NOT_SUPPORTED',
    message: expect.stringContaining('100 KB') as string,
  })
})

test('pages of an answer are followed', async () => {
  await using api = await DataApi.open(redshiftSettings(server.settings))
  await using session = new WarehouseSession(api)
  const rows = await session.rows('SELECT n FROM many ORDER BY n')
  expect(rows.map(([n]) => n)).toEqual(Array.from({length: 2500}, (_, index) => index + 1))
})

test('texts that differ in blanks at their ends are two keys', async () => {
  const rows = featureRows(
    await fixture.writeSource(
      'blanks',
      columnsOf({name: 'string', happened: 'timestamp', count: 'int64'}),
      [
        ['a', time, 1n],
        ['a ', time, 2n],
        ['', time, 3n],
        [' ', time, 4n],
      ],
      'happened',
    ),
    {name: 'string'},
    {count: 'int64'},
  )
  const before = (await server.aws.statements()).length
  const asked = ['a ', 'a', ' ', ''].map((name) => [name, time])
  const frame = await readFrame(
    fixture.store,
    frameQuery(entityValues({name: 'string', event_timestamp: 'timestamp'}, asked), [viewJoin(rows)]),
  )
  expect(frame.rows.map((row) => row[2])).toEqual([2n, 1n, 4n, 3n])
  // PostgreSQL tells them apart by itself: on Redshift the end that every text is given does.
  const keyed = (await server.aws.statements())
    .slice(before)
    .filter((sql) => sql.startsWith('CREATE TEMP TABLE') && sql.includes('AS k0'))
  expect(keyed.filter((sql) => sql.includes('"name"::varchar || chr(1) AS k0')).length).toBeGreaterThan(1)
})

test('rows without a key or a time are told without the columns that can not be had', async () => {
  await server.database.query(
    `CREATE TABLE clocks AS SELECT NULL::int8 AS id, timestamp '2024-01-01' AS happened, time '12:00' AS clock, 'x'::varchar AS note`,
  )
  const source = {
    ...({kind: 'data_source', name: 'clocks', type: 'redshift', timestampField: 'happened'} as const),
    table: 'clocks',
  }
  const rows = featureRows(source, {id: 'int64'}, {note: 'string'})
  const batches = []
  for await (const batch of fixture.store.readIncompleteRows(latestQuery(rows))) batches.push(batch)
  expect(batches.map(({names, rowCount}) => ({names, rowCount}))).toEqual([
    {names: ['id', 'happened', 'note'], rowCount: 1},
  ])
})

test('what can’t be had is said by name', async () => {
  const other = {
    kind: 'data_source',
    name: 'files',
    type: 'file',
    path: 'x.parquet',
    timestampField: 't',
  } as const
  await expect(fixture.store.describeSource({source: other, inputs: {}})).rejects.toMatchObject({
    code: 'FS_NOT_SUPPORTED',
    message: expect.stringMatching(/`files`.*file/) as string,
  })
  expect(() => redshiftSettings({...server.settings, clusterId: 'c'})).toThrow(
    /both `cluster_id` and `workgroup`/,
  )
  expect(() => redshiftSettings({...server.settings, user: 'u'})).toThrow(/`user` stands beside `workgroup`/)
})

describe('doctor', () => {
  const findings = async (clock = machineClock) => {
    const all = []
    for await (const finding of fixture.store.examine(clock, [])) all.push(finding)
    return all
  }

  test('says who asks, by which clock, and that rows pass in both directions', async () => {
    expect(await findings()).toMatchObject([
      {name: 'credentials', status: 'ok', detail: expect.stringMatching(/^arn:aws:/) as string},
      {
        name: 'warehouse',
        status: 'ok',
        detail: expect.stringMatching(/^analytics, database dev, as /) as string,
      },
      {name: 'clock', status: 'ok'},
      {name: 'staging', status: 'ok', detail: 's3://staging/fs, nothing was left there'},
      {
        name: 'transfer',
        status: 'ok',
        detail: 'UNLOAD and COPY by arn:aws:iam::123456789012:role/redshift, and back',
      },
    ])
    expect(await objectsLeft()).toBe(0)
    const statements = (await server.aws.statements()).slice(-5)
    expect(statements.map((sql) => sql.split(/[ (]/)[0])).toEqual([
      ...['BEGIN', 'UNLOAD', 'CREATE', 'COPY', 'ROLLBACK'],
    ])
  })

  test('counts what killed runs left in S3', async () => {
    const {s3} = server.aws
    const left = {Bucket: 'staging', Key: 'fs/fs-run-killed/1/part_0000.parquet'}
    await s3.send(new PutObjectCommand({...left, Body: 'rows'}))
    expect((await findings())[3]).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('1 object of runs') as string,
      remedy: 'Run `fs cleanup`, which removes what is older than a day.',
    })
    await s3.send(new DeleteObjectCommand(left))
  })

  test('notices a clock that is wrong', async () => {
    const clock = (await findings(() => machineClock() - 120_000_000n))[2]
    expect(clock).toMatchObject({
      name: 'clock',
      status: 'failed',
      detail: expect.stringMatching(/^(120|121)\.\d s ahead of this machine's$/) as string,
    })
  })

  const denied = {type: 'AccessDenied', status: 403}
  test.each([
    ['may not unload', {operation: 'Redshift.Statement', path: 'UNLOAD', ...refusal}, /Access Denied/],
    ['may not copy', {operation: 'Redshift.Statement', path: 'COPY', ...refusal}, /Access Denied/],
    ['may make no temporary tables', {operation: 'Redshift.Statement', path: 'CREATE TEMP', ...refusal}, /./],
    ['may not read what is staged', {operation: 'S3.GetObject', ...denied}, /fs-run-/],
    ['may stage nothing', {operation: 'S3.PutObject', path: 'rows.parquet', ...denied}, /fs-run-/],
    ['may not remove what is staged', {operation: 'S3.DeleteObject', ...denied}, /fs-run-/],
  ])('tells that it %s', async (_, fault, detail) => {
    await server.aws.faults([fault])
    const found = await findings()
    expect(found.map(({status}) => status)).toEqual(['ok', 'ok', 'ok', 'ok', 'failed'])
    expect(found[4]).toMatchObject({name: 'transfer', detail: expect.stringMatching(detail) as string})
    expect(found[4]?.remedy).toMatch(/\S/)
    expect(await objectsLeft()).toBe(0)
  })
})

test('cleanup removes what killed runs left, and nothing else', async () => {
  const {s3} = server.aws
  const killed = [
    'fs/fs-run-a/1/part_0000.parquet',
    'fs/fs-run-a/1/part_manifest',
    'fs/fs-run-b/rows.parquet',
  ]
  const others = ['fs/fs-runs.txt', 'else/fs-run-a/x']
  for (const Key of [...killed, ...others])
    await s3.send(new PutObjectCommand({Bucket: 'staging', Key, Body: 'rows'}))
  // moto says of each that it began in 2010.
  const uploads = ['fs/fs-run-a/2/rows.parquet', 'fs/fs-run-c/1/rows.parquet', 'else/fs-run-a/y']
  for (const Key of uploads) await s3.send(new CreateMultipartUploadCommand({Bucket: 'staging', Key}))
  const unended = async () => {
    const {Uploads = []} = await s3.send(new ListMultipartUploadsCommand({Bucket: 'staging'}))
    return Uploads.map(({Key}) => Key).toSorted()
  }
  const keys = async () => {
    const {Contents = []} = await s3.send(new ListObjectsV2Command({Bucket: 'staging'}))
    return Contents.map(({Key}) => Key)
  }
  const now = BigInt(Date.now()) * 1000n
  const hour = 3_600_000_000n
  const found = {location: 's3://staging/fs', runs: 3, objects: 3, uploads: 2, bytes: 12}
  const nothing = {...found, runs: 0, objects: 0, uploads: 0, bytes: 0}
  const before2010 = BigInt(Date.UTC(2010, 0)) * 1000n
  expect(await fixture.store.cleanUp?.(before2010, {dryRun: false})).toEqual(nothing)
  // The upload of a run that has newer objects stays with them.
  expect(await fixture.store.cleanUp?.(now - hour, {dryRun: true})).toEqual({...nothing, runs: 1, uploads: 1})
  expect(await fixture.store.cleanUp?.(now + hour, {dryRun: true})).toEqual(found)
  expect(await keys()).toHaveLength(5)
  expect(await unended()).toHaveLength(3)
  expect(await fixture.store.cleanUp?.(now + hour, {dryRun: false})).toEqual(found)
  expect(await keys()).toEqual(['else/fs-run-a/x', 'fs/fs-runs.txt'])
  expect(await unended()).toEqual(['else/fs-run-a/y'])
  for (const Key of others) await s3.send(new DeleteObjectCommand({Bucket: 'staging', Key}))
})

test('a table of the Glue Data Catalog is read through the external schema', async () => {
  const source = {
    ...({kind: 'data_source', name: 'trips', type: 'glue', timestampField: 'happened'} as const),
    ...{database: 'rides', table: 'Trips'},
  }
  const describe = async (more: object, changed: object = {}) => {
    await using store = await openOfflineStore(
      {type: 'redshift', settings: {...server.settings, ...more}},
      {repoDirectory: fixture.directory},
    )
    return await store.describeSource({source: {...source, ...changed}, inputs: {}})
  }
  const statement =
    "CREATE EXTERNAL SCHEMA \"lake\" FROM DATA CATALOG DATABASE 'rides' IAM_ROLE 'arn:aws:iam::123456789012:role/redshift';"
  await expect(describe({})).rejects.toMatchObject({
    code: 'FS_CONFIG_INVALID',
    message: expect.stringMatching(/`trips`.*`offline_store.external_schema` names none/) as string,
    hint: expect.stringContaining(statement) as string,
  })
  await expect(describe({externalSchema: 'lake'})).rejects.toMatchObject({
    code: 'FS_SOURCE_UNREADABLE',
    message: expect.stringMatching(/`trips`.*no external schema `lake`/) as string,
    hint: expect.stringContaining(statement) as string,
  })
  const parquet = join(fixture.directory, 'trips.parquet')
  await writeParquet(parquet, columnsOf({happened: 'timestamp', km: 'float64'}), [[time, 1.5]])
  const Body = readFileSync(parquet)
  await server.aws.s3.send(new PutObjectCommand({Bucket: 'staging', Key: 'lake/trips/part.parquet', Body}))
  const glue = await GlueTables.create(server.aws.url, 'rides')
  const columns = {happened: 'timestamp', km: 'double'}
  await glue.table('trips', {location: 's3://staging/lake/trips/', format: 'parquet', columns})
  glue.close()
  await using api = await DataApi.open(redshiftSettings(server.settings))
  await using session = new WarehouseSession(api)
  await session.run(statement)
  expect(await describe({externalSchema: 'lake'})).toEqual([
    {name: 'happened', nativeType: 'timestamp', valueType: 'timestamp'},
    {name: 'km', nativeType: 'float8', valueType: 'float64'},
  ])
  await expect(describe({externalSchema: 'lake'}, {table: 'tripz'})).rejects.toMatchObject({
    code: 'FS_SOURCE_UNREADABLE',
    message: expect.stringMatching(/`trips` \(tripz\).*does not exist/) as string,
    hint: expect.stringContaining('`table`') as string,
  })
  // A table of that name in another database would be read for this one.
  await expect(describe({externalSchema: 'lake'}, {database: 'other'})).rejects.toMatchObject({
    code: 'FS_CONFIG_INVALID',
    message: expect.stringMatching(
      /`trips` is in the Glue database `other`.*`lake`.*reads `rides`/,
    ) as string,
    hint: expect.stringContaining("DATABASE 'other'") as string,
  })
})

test.each([
  ['a cluster, as a user', {clusterId: 'one', user: 'loader'}, {ClusterIdentifier: 'one', DbUser: 'loader'}],
  ['a cluster, as whoever IAM says', {clusterId: 'one'}, {ClusterIdentifier: 'one'}],
  [
    'a cluster, with a secret',
    {clusterId: 'one', secretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:one'},
    {
      ClusterIdentifier: 'one',
      SecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:one',
    },
  ],
  ['a workgroup', {workgroup: 'analytics'}, {WorkgroupName: 'analytics'}],
])('%s is asked as the settings say', async (_, connection, told) => {
  const {workgroup: _workgroup, ...others} = server.settings
  await using api = await DataApi.open(redshiftSettings({...others, ...connection}))
  await using session = new WarehouseSession(api)
  const id = await session.run('SELECT 1')
  const client = new RedshiftDataClient({})
  const {ClusterIdentifier, DbUser, SecretArn, WorkgroupName, Database} = await client.send(
    new DescribeStatementCommand({Id: id}),
  )
  client.destroy()
  expect(JSON.parse(JSON.stringify({ClusterIdentifier, DbUser, SecretArn, WorkgroupName, Database}))).toEqual(
    {...told, Database: 'dev'},
  )
})

test('a warehouse of another account is asked by a role of its own', async () => {
  const rows = await driverRows()
  const before = (await server.aws.calls())['STS.AssumeRole'] ?? 0
  const role = {roleArn: 'arn:aws:iam::210987654321:role/data-reader', externalId: 'rides'}
  await using store = await openOfflineStore(
    {type: 'redshift', settings: {...server.settings, ...role}},
    {repoDirectory: fixture.directory},
  )
  expect((await readNewest(store, latestQuery(rows))).rows).toHaveLength(2)
  // Once for the Data API, and once for S3.
  expect((await server.aws.calls())['STS.AssumeRole']).toBe(before + 2)
  const {value: who} = await store.examine(machineClock, []).next()
  expect(who).toMatchObject({
    name: 'credentials',
    detail: expect.stringContaining('210987654321:assumed-role/data-reader/') as string,
  })
})

test('a staging location that is not there is told by its name', async () => {
  const rows = await driverRows()
  await using store = await openOfflineStore(
    {type: 'redshift', settings: {...server.settings, s3StagingLocation: 's3://nowhere-at-all/fs'}},
    {repoDirectory: fixture.directory},
  )
  await expect(readFrame(store, frameQuery(entities, [viewJoin(rows)]))).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringMatching(/s3:\/\/nowhere-at-all\/fs.*no bucket `nowhere-at-all`/) as string,
  })
  await expect(store.cleanUp?.(0n, {dryRun: true})).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    hint: expect.stringContaining('bucket') as string,
  })
})

test('a frame of several row groups keeps its rows side by side', async () => {
  await server.database.query(
    `DROP TABLE IF EXISTS wide; CREATE TABLE wide AS SELECT n::int8 AS driver_id, timestamp '2024-01-01' + n * interval '1 second' AS happened, n::int8 AS trips, ('t' || n)::varchar AS note FROM generate_series(1, 150000) AS numbers (n)`,
  )
  const source: DataSource = {
    kind: 'data_source',
    name: 'wide',
    type: 'redshift',
    table: 'wide',
    timestampField: 'happened',
  }
  const rows = featureRows(source, {driver_id: 'int64'}, {trips: 'int64', note: 'string'})
  const keyed = featureRows(source, {driver_id: 'int64'}, {driver_id: 'int64', trips: 'int64'})
  const sql = 'SELECT driver_id, happened AS event_timestamp FROM wide ORDER BY md5(driver_id::varchar)'
  const query = frameQuery({kind: 'sql', sql, inputs: {}}, [
    viewJoin(rows),
    // Some of its features only; and a column that is a key and a feature.
    viewJoin(rows, {alias: 'again', outputs: [{feature: 'note', as: 'again'}]}),
    viewJoin(keyed, {alias: 'keyed', outputs: [{feature: 'trips', as: 'keyed'}]}),
  ])
  const frame = await readFrame(fixture.store, query)
  expect(frame.rows).toHaveLength(150_000)
  const wrong = frame.rows.filter(
    ([id, , trips, note, again, keyed]) =>
      trips !== id || note !== `t${String(id)}` || again !== note || keyed !== id,
  )
  expect(wrong).toEqual([])
})
