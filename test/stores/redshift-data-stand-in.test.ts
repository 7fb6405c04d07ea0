import {
  CancelStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  ListStatementsCommand,
  paginateGetStatementResult,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import pg from 'pg'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {startAws, type AwsStandIn} from '../support/aws-stand-in.js'
import {rowsOf, runStatement, workgroup} from '../support/redshift-statements.js'

let aws: AwsStandIn
let client: RedshiftDataClient
/** Tries nothing again by itself. */
let once: RedshiftDataClient
let postgres: pg.Client

beforeAll(async () => {
  aws = await startAws()
  const settings = {
    endpoint: aws.url,
    region: 'us-east-1',
    credentials: {accessKeyId: 'test', secretAccessKey: 'test'},
  }
  client = new RedshiftDataClient(settings)
  once = new RedshiftDataClient({...settings, maxAttempts: 1})
  postgres = new pg.Client({connectionString: aws.postgresUrl})
  await postgres.connect()
})

beforeEach(() => aws.heal())

afterAll(async () => {
  await postgres.end()
  client.destroy()
  once.destroy()
  await aws.dispose()
})

const rows = (sql: string) => rowsOf(client, sql)
const run = (...[sql, more]: [string, Parameters<typeof runStatement>[2]?]) => runStatement(client, sql, more)

describe('the life of a statement', () => {
  test('it is submitted, started and finished, and told with all its members', async () => {
    const {Id, CreatedAt, Status} = await client.send(
      new ExecuteStatementCommand({Sql: 'SELECT pg_backend_pid()', ...workgroup, StatementName: 'life'}),
    )
    expect(Id).toMatch(/^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}$/)
    expect(CreatedAt).toBeInstanceOf(Date)
    expect(Status).toBeUndefined()
    const submitted = await client.send(new DescribeStatementCommand({Id: Id!}))
    expect(['SUBMITTED', 'PICKED', 'STARTED', 'FINISHED']).toContain(submitted.Status)
    const described = await client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
    expect(described).toMatchObject({
      ...{Id, Status: 'FINISHED', HasResultSet: true, ResultRows: 1, ...workgroup},
      QueryString: 'SELECT pg_backend_pid()',
    })
    expect(described.Duration).toBeGreaterThan(0)
    expect(described.UpdatedAt!.getTime()).toBeGreaterThanOrEqual(described.CreatedAt!.getTime())
  })

  test('an error of SQL is no error of the call', async () => {
    expect(await run('SELECT * FROM nowhere')).toMatchObject({
      Status: 'FAILED',
      Error: 'ERROR: relation "nowhere" does not exist',
      HasResultSet: false,
      ResultRows: -1,
    })
    expect(await run('SELECT 1.0::float8 / 0')).toMatchObject({Error: 'ERROR: division by zero'})
    expect(await run('SELECT 1', {Database: 'none'})).toMatchObject({
      Status: 'FAILED',
      Error: 'FATAL: database "none" does not exist',
    })
  })

  test('it is cancelled while it runs, and can not be any more when it has ended', async () => {
    await postgres.query('CREATE TABLE IF NOT EXISTS public.one AS SELECT 1 AS n')
    await aws.faults([{operation: 'Redshift.Statement', path: 'FROM one', delayMillis: 60_000}])
    const {Id} = await client.send(new ExecuteStatementCommand({Sql: 'SELECT n FROM one', ...workgroup}))
    while ((await client.send(new DescribeStatementCommand({Id: Id!}))).Status !== 'STARTED');
    expect(await client.send(new CancelStatementCommand({Id: Id!}))).toMatchObject({Status: true})
    const described = await client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
    expect(described).toMatchObject({Status: 'ABORTED', HasResultSet: false})
    await expect(client.send(new CancelStatementCommand({Id: Id!}))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  test('the same token is the same statement, run once', async () => {
    await postgres.query('CREATE TABLE public.counted (n int)')
    const asked = {
      Sql: 'INSERT INTO counted VALUES (1)',
      ...workgroup,
      ClientToken: 'chosen',
      WaitTimeSeconds: 20,
    }
    const first = await client.send(new ExecuteStatementCommand(asked))
    const again = await client.send(new ExecuteStatementCommand(asked))
    expect(again.Id).toBe(first.Id)
    // The answer is lost, the client tries again with its token.
    await aws.faults([{operation: 'RedshiftData.ExecuteStatement', cut: true, after: true}])
    await run('INSERT INTO counted VALUES (2)')
    expect(await rows('SELECT n, count(*) FROM counted GROUP BY n ORDER BY n')).toEqual([
      [1, 1],
      [2, 1],
    ])
  })

  test('statements are listed, newest first, in pages', async () => {
    for (const sql of ['SELECT 1', 'SELECT 2', 'SELECT 3']) await run(sql, {StatementName: 'listed'})
    const page = await client.send(new ListStatementsCommand({StatementName: 'listed', MaxResults: 2}))
    expect(page.Statements!.map(({QueryString}) => QueryString)).toEqual(['SELECT 3', 'SELECT 2'])
    const {Statements, NextToken} = await client.send(
      new ListStatementsCommand({StatementName: 'listed', MaxResults: 2, NextToken: page.NextToken!}),
    )
    expect(Statements).toHaveLength(1)
    expect(NextToken).toBeUndefined()
  })
})

describe('what is refused', () => {
  const execute = (more: Partial<ConstructorParameters<typeof ExecuteStatementCommand>[0]>) =>
    client.send(new ExecuteStatementCommand({Sql: 'SELECT 1', ...workgroup, ...more}))

  test.each([
    ['a text over 100 KB', {Sql: `SELECT '${'x'.repeat(102_400)}'`}],
    ['a wait over 30 seconds', {WaitTimeSeconds: 31}],
    ['an empty parameter', {Sql: 'SELECT :x', Parameters: [{name: 'x', value: ''}]}],
    ['a parameter that is not used', {Parameters: [{name: 'x', value: '1'}]}],
    ['a parameter that is not given', {Sql: 'SELECT :x'}],
    ['two places', {ClusterIdentifier: 'c'}],
    ['no place', {WorkgroupName: undefined}],
    ['a user of a workgroup', {DbUser: 'me'}],
    [
      'an unknown session',
      {WorkgroupName: undefined, Database: undefined, SessionId: 'e9b6c0c9-0747-4bf4-b142-e8883122f766'},
    ],
  ])('%s', async (_, more) => {
    await expect(execute(more)).rejects.toMatchObject({name: 'ValidationException'})
  })

  test('an id that is not known, with its name', async () => {
    const Id = 'd9b6c0c9-0747-4bf4-b142-e8883122f766'
    for (const command of [new DescribeStatementCommand({Id}), new GetStatementResultCommand({Id})])
      await expect(client.send(command as DescribeStatementCommand)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        ResourceId: Id,
        $metadata: {httpStatusCode: 404},
      })
  })

  test('the result of a statement without one', async () => {
    const {Id} = await run('CREATE TABLE no_result (n int)')
    await expect(client.send(new GetStatementResultCommand({Id}))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
})

describe('faults on demand', () => {
  test('throttling is waited out by the SDK, too many statements are not', async () => {
    await aws.faults([{operation: 'RedshiftData.*', type: 'ThrottlingException', times: 2}])
    expect(await run('SELECT 1')).toMatchObject({Status: 'FINISHED'})
    await aws.faults([
      {operation: 'RedshiftData.ExecuteStatement', type: 'ActiveStatementsExceededException'},
    ])
    await expect(run('SELECT 1')).rejects.toMatchObject({name: 'ActiveStatementsExceededException'})
  })

  test('a failing service names the statement', async () => {
    const type = 'ExecuteStatementException'
    await aws.faults([
      {operation: 'RedshiftData.ExecuteStatement', type, status: 500, members: {StatementId: 'an-id'}},
    ])
    await expect(runStatement(once, 'SELECT 1')).rejects.toMatchObject({name: type, StatementId: 'an-id'})
  })

  test('a statement fails before, or after it took effect', async () => {
    await postgres.query('CREATE TABLE public.touched (n int)')
    const fault = {operation: 'Redshift.Statement', path: 'touched', message: 'disk full'}
    await aws.faults([fault, {...fault, after: true}])
    const failed = {Status: 'FAILED', Error: 'ERROR: disk full'}
    expect(await run('INSERT INTO touched VALUES (1)')).toMatchObject(failed)
    expect(await run('INSERT INTO touched VALUES (2)')).toMatchObject(failed)
    expect(await rows('SELECT n FROM touched')).toEqual([[2]])
  })
})

describe('results', () => {
  test('values come in the fields of their types, columns with the names of Redshift', async () => {
    await postgres.query(
      `CREATE TABLE public.typed (a smallint NOT NULL, b int, c bigint, d real, e double precision, f numeric(10, 2), g boolean,
        h varchar(20), i char(3), j date, k timestamp, l timestamptz, m jsonb, n bytea)`,
    )
    await postgres.query(
      `INSERT INTO public.typed VALUES (1, 2, 3, 1.5, 2.5, 12.30, true, 'x', 'y', '2024-01-02', '2024-01-02 03:04:05',
        '2024-01-02 03:04:05.25+00', '{"a": 1}', '\\x00ff')`,
    )
    const {Id} = await run('SELECT * FROM (SELECT * FROM typed) LIMIT 0'.replace(') LIMIT', ') q LIMIT'))
    const described = await client.send(new GetStatementResultCommand({Id}))
    expect(described.Records).toEqual([])
    expect(
      described.ColumnMetadata!.map(({name, typeName, precision, scale, nullable}) =>
        [name, typeName, precision, scale, nullable].join(' '),
      ),
    ).toEqual([
      ...[
        'a int2 5 0 0',
        'b int4 10 0 1',
        'c int8 19 0 1',
        'd float4 8 8 1',
        'e float8 17 17 1',
        'f numeric 10 2 1',
      ],
      ...['g bool 1 0 1', 'h varchar 20 0 1', 'i bpchar 3 0 1', 'j date 13 0 1', 'k timestamp 29 6 1'],
      ...['l timestamptz 35 6 1', 'm super 0 0 1', 'n varbyte 0 0 1'],
    ])
    expect(await rows('SELECT * FROM typed')).toEqual([
      [
        ...[1, 2, 3, 1.5, 2.5, '12.30', true, 'x', 'y  ', '2024-01-02', '2024-01-02 03:04:05.0'],
        ...['2024-01-02 03:04:05.25+00', '{"a":1}', Uint8Array.of(0, 255)],
      ],
    ])
    expect(await rows("SELECT cast(null AS int), 'NaN'::float8")).toEqual([[null, NaN]])
  })

  test('pages are followed; whole numbers beyond 2^53 are rounded on the way, as they are in AWS', async () => {
    await postgres.query(
      'CREATE TABLE public.many AS SELECT 9007199254740993 - i AS n FROM generate_series(0, 2499) i',
    )
    const {Id} = await run('SELECT n FROM many ORDER BY n DESC')
    const pages = []
    for await (const page of paginateGetStatementResult({client}, {Id})) pages.push(page)
    expect(pages.map(({Records}) => Records!.length)).toEqual([1000, 1000, 500])
    expect(pages[0]!.TotalNumRows).toBe(2500)
    expect(pages[0]!.Records![0]).toEqual([{longValue: 9_007_199_254_740_992}])
    expect(await rows('SELECT cast(max(n) AS varchar(20)) FROM many')).toEqual([['9007199254740993']])
  })

  test('a result over 100 MB is none', async () => {
    await postgres.query('CREATE TABLE public.large AS SELECT i FROM generate_series(1, 1100) i')
    const {Status, Error: message} = await run("SELECT repeat('x', 100000) FROM large")
    expect(Status).toBe('FAILED')
    expect(message).toContain('100 MB')
  })

  test('parameters are texts that the engine casts', async () => {
    await postgres.query("CREATE TABLE public.bound AS SELECT 1 AS id, 'a:b'::varchar(9) AS name")
    const {Id} = await run("SELECT name, ':id' FROM bound -- :nothing\nWHERE id = :id AND name = :name", {
      Parameters: [
        {name: 'id', value: '1'},
        {name: 'name', value: 'a:b'},
      ],
    })
    const {Records} = await client.send(new GetStatementResultCommand({Id}))
    expect(Records).toEqual([[{stringValue: 'a:b'}, {stringValue: ':id'}]])
    expect(
      await run('SELECT name FROM bound WHERE id = :id', {Parameters: [{name: 'id', value: 'x'}]}),
    ).toMatchObject({
      Status: 'FAILED',
      Error: 'ERROR: invalid input syntax for type integer: "x"',
    })
  })
})

test('what was told is kept, in order, and calls are counted', async () => {
  const before = await aws.statements()
  await run('SELECT 1 AS told')
  const {'RedshiftData.ExecuteStatement': calls} = await aws.calls()
  expect((await aws.statements()).slice(before.length)).toEqual(['SELECT 1 AS told'])
  expect(calls).toBeGreaterThan(before.length / 3)
})
