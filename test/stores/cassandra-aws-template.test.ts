/** The aws template from its first step on, on the stand-ins: it answers as the example does from files. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {CreateDatabaseCommand, CreateTableCommand, GlueClient} from '@aws-sdk/client-glue'
import {ListObjectsV2Command} from '@aws-sdk/client-s3'
import {DuckDBTimestampTZValue} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {runScript} from '../support/aws-template/aws-tools.js'
import {Stack, type Known} from '../support/aws-template/stack.js'
import {makeCertificates} from '../support/certificates.js'
import {freePorts} from '../support/free-ports.js'
import {KeyspacesProxy} from '../support/keyspaces-proxy.js'
import {readParquet} from '../support/parquet.js'
import {RedisServer} from '../support/redis-server.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {dropAllTables, sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'

const now = ['--now', '2021-09-01T00:00:00Z']
const service = ['--feature-service', 'credit_scoring']
const password = 'x'.repeat(64)

let folder: string
let local: string
let repo: string
let known: Known
let stack: Stack
let aws: AdoptedAws
let redis: RedisServer
let cassandra: SharedCassandra
let keyspaces: KeyspacesProxy
let expected: Awaited<ReturnType<typeof answers>>

/** All that a repo answers, by the commands of its README. */
async function answers(directory: string) {
  const at = ['-C', directory]
  await runFsJson(['apply', '--yes', ...at])
  const run = await runFsJson(['materialize-incremental', ...now, ...at])
  const again = await runFsJson(['materialize-incremental', ...now, ...at])
  const verified = await runFsJson(['verify', '--all', ...now, ...at])
  const frame = async (name: string, ...asked: string[]) => {
    const output = join(directory, 'data', name)
    await runFsJson(['get-historical-features', ...asked, ...service, '--output', output, ...at])
    return output
  }
  const file = ['--entities', join(local, 'data/loan_table.parquet')]
  const interval = ['--start', '2021-08-01', '--end', '2021-08-20']
  const online = ['zipcode=94109,dob_ssn=19530219_5179', 'zipcode=1,dob_ssn=nobody']
  const entities = online.flatMap((entity) => ['--entity', entity])
  return {
    rows: (run['views'] as {name: string; rows: unknown}[]).map(({name, rows}) => ({name, rows})),
    again: (again['views'] as {rows: unknown}[]).map(({rows}) => rows),
    verified: (verified['views'] as object[]).map((view) => ({...view, newest: undefined})),
    parquet: await readParquet(await frame('training.parquet', ...file)),
    bytes: readFileSync(join(directory, 'data/training.parquet')),
    csv: readFileSync(await frame('training.csv', ...file), 'utf8'),
    interval: readFileSync(await frame('interval.csv', ...interval), 'utf8'),
    online: await runFsJson(['get-online-features', ...service, ...entities, ...now, ...at]),
  }
}

/** What CloudFormation would make of the catalog. */
async function makeCatalog(): Promise<void> {
  using glue = disposable(new GlueClient({}))
  for (const [, {Properties}] of stack.ofType('AWS::Glue::Database')) {
    const {DatabaseInput} = stack.resolve(Properties, known) as {DatabaseInput: {Name: string}}
    await glue.send(new CreateDatabaseCommand({DatabaseInput}))
  }
  for (const [, {Properties}] of stack.ofType('AWS::Glue::Table')) {
    const {DatabaseName, TableInput} = stack.resolve(Properties, {...known, Catalog: 'credit_lake'}) as {
      DatabaseName: string
      TableInput: {Name: string}
    }
    await glue.send(new CreateTableCommand({DatabaseName, TableInput}))
  }
}

function disposable<T extends {destroy(): void}>(client: T): T & Disposable {
  return Object.assign(client, {[Symbol.dispose]: () => client.destroy()})
}

/** A Redis as the stack asks ElastiCache for one: TLS, one user with the rights that it names, no eviction. */
async function startRedis(): Promise<RedisServer> {
  const [[, user] = []] = stack.ofType('AWS::ElastiCache::User')
  const [[, group] = []] = stack.ofType('AWS::ElastiCache::ParameterGroup')
  const {AccessString, UserName} = user?.Properties as {AccessString: string; UserName: string}
  const parameters = group?.Properties?.['Properties'] as Readonly<Record<string, string>>
  return RedisServer.startTls(
    makeCertificates(folder),
    ...Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, value]),
    ...['--user', UserName, ...AccessString.split(' '), `>${password}`, '--user', 'default', 'off'],
  )
}

function edit(change: (text: string) => string): void {
  const file = join(repo, 'feature_store.yaml')
  const before = readFileSync(file, 'utf8')
  const after = change(before)
  expect(after).not.toBe(before)
  writeFileSync(file, after)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-aws-template-'))
  repo = join(folder, 'lending')
  local = join(folder, 'scoring')
  for (const [directory, template] of Object.entries({[repo]: 'aws', [local]: 'credit-scoring'}))
    expect(await runFs(['init', directory, '--template', template])).toMatchObject({code: 0})
  stack = new Stack(join(repo, 'infra/stack.yaml'))
  redis = await startRedis()
  cassandra = await sharedCassandra()
  const [unused] = await freePorts(1)
  known = {
    ...{'AWS::Region': 'us-east-1', 'AWS::StackName': 'lending', 'AWS::AccountId': '123456789012'},
    ...{Bucket: 'lending-bucket', Workgroup: 'lending', Keyspace: cassandra.keyspace},
    'RedshiftRole.Arn': 'arn:aws:iam::123456789012:role/lending-redshift',
    AdminSecret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:lending',
    'Redis.PrimaryEndPoint.Address': 'localhost',
    'Redis.PrimaryEndPoint.Port': String(redis.port),
    unused: String(unused),
  }
  const environment = (onlineStore: string) =>
    (
      stack.resolve(stack.outputs['Environment']?.Value, {...known, OnlineStore: onlineStore}) as string
    ).split(' ')
  const variables = [...environment('redis'), ...environment('keyspaces')].map((one) => one.split('='))
  aws = await adoptAws({
    bucket: known['Bucket'] ?? '',
    redshift: true,
    variables: {
      ...(Object.fromEntries(variables) as Readonly<Record<string, string>>),
      FS_REDIS_PASSWORD: password,
      // Amazon's certificates any system trusts.
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    },
  })
  keyspaces = await KeyspacesProxy.start({
    ...{cassandraHost: cassandra.host, cassandraPort: cassandra.port, region: 'us-east-1'},
    ...{accessKeyId: 'test', secretAccessKey: 'test', tableCreationMillis: 20},
  })
  await makeCatalog()
  expected = await answers(local)
})
afterAll(async () => {
  await keyspaces[Symbol.asyncDispose]()
  await cassandra[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await aws[Symbol.asyncDispose]()
  rmSync(folder, {recursive: true})
})

describe('the aws template', () => {
  test('loads its data by AWS’s own command line, again too', async () => {
    const load = () => runScript('infra/load.sh', [], {cwd: repo, env: process.env})
    expect(await load()).toContain('Loaded: credit.credit_history')
    expect(await load()).toContain('Loaded: credit.credit_history')
  })

  test('is found well by fs doctor', async () => {
    const {checks} = (await runFsJson(['doctor', '-C', repo])) as {checks: {status: string}[]}
    expect(checks.filter(({status}) => status !== 'ok')).toEqual([])
    expect(checks).toContainEqual({
      ...{part: 'online_store', name: 'rights', status: 'ok'},
      detail: 'user fs may read and load',
    })
  })

  test('is used, verified and torn down as its README says', async () => {
    const readme = readFileSync(join(repo, 'README.md'), 'utf8')
    // In the stack, infra/fs.sh runs them as its task: here this process stands for it.
    const steps = [...readme.matchAll(/^(?:sh infra\/fs\.sh|npx fs) (.+)$/gm)].map((match) => match[1] ?? '')
    expect(steps.map((step) => step.split(' ')[0])).toEqual([
      ...['doctor', 'plan', 'apply', 'materialize-incremental', 'verify', 'get-online-features'],
      ...['get-historical-features', 'get-historical-features', 'teardown'],
    ])
    const run = async (step: string) => {
      const words = [...step.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
      expect(await runFs(words, {cwd: repo}), step).toMatchObject({code: 0})
    }
    const mayTrain = actionsOf('OfflinePolicy')
    for (const step of steps) {
      const used = await rightsUsed(() => run(step))
      if (step.startsWith('get-historical-features'))
        expect(used.filter((right) => !mayTrain.includes(right))).toEqual([])
    }
    expect(await keysOutside(['data/'])).toEqual([])
  })

  test('answers from ElastiCache as from files, to the last byte of a frame', async () => {
    expect(expected.parquet.rows).toHaveLength(1500)
    const used = await rightsUsed(async () => sameAnswers(await answers(repo)))
    const mayDo = actionsOf('OfflinePolicy', 'TaskRole')
    expect(used.filter((right) => !mayDo.includes(right))).toEqual([])
    // What doctor, cleanup, a command that is stopped, large objects and the credentials themselves need besides.
    const others =
      /^(redshift-data:CancelStatement|redshift-serverless:GetCredentials|s3:AbortMultipartUpload|s3:ListBucketMultipartUploads|kms:\w+)$/
    expect(mayDo.filter((right) => !used.includes(right) && !others.test(right))).toEqual([])
    expect(await keysOutside(['data/', 'registry.json'])).toEqual([])
  })

  test('takes loans from the warehouse, too', async () => {
    const output = join(repo, 'data/training_sql.parquet')
    const sql = 'SELECT * FROM credit.loan_table'
    await runFsJson([
      ...['get-historical-features', '--entity-sql', sql, ...service, '--output', output, '-C', repo],
    ])
    const {rows} = await readParquet(output)
    // Redshift's COPY knows no times with a zone, so that the table has none.
    const plain = (value: unknown) => (value instanceof DuckDBTimestampTZValue ? value.micros : value)
    const byLoan = (all: typeof rows) =>
      all
        .toSorted((one, other) => Number(one[0]) - Number(other[0]))
        .map((row) => row.map((value) => plain(value)))
    expect(byLoan(rows)).toEqual(byLoan(expected.parquet.rows))
  })

  test('answers from Amazon Keyspaces, which a proxy before Cassandra plays', async () => {
    edit((text) => {
      const [others = '', block = ''] = text.split('# Or Amazon Keyspaces')
      const commented = block.split('\n').slice(1)
      return [
        others.split('# ElastiCache')[0],
        ...commented.map((line) => line.replace(/^# /, '')),
        `  endpoint: localhost:${keyspaces.port}`,
        `  ca_file: ${keyspaces.caFile}`,
      ].join('\n')
    })
    sameAnswers(await answers(repo))
    await dropAllTables(cassandra.client, cassandra.keyspace)
  })

  test('answers from Cassandra', async () => {
    edit(
      (text) => `${text.split('online_store:')[0] ?? ''}online_store:
  type: cassandra
  hosts: ["${cassandra.host}:${cassandra.port}"]
  keyspace: ${cassandra.keyspace}
  load_balancing: {local_dc: ${cassandra.datacenter}}
  consistency: {read: ONE, write: ONE}
`,
    )
    sameAnswers(await answers(repo))
  })

  test('leaves nothing staged', async () => {
    const left = await runFsJson(['cleanup', '--dry-run', '--older-than', '0s', '-C', repo])
    expect(left).toMatchObject({location: `s3://${known['Bucket'] ?? ''}/staging`, objects: 0})
  })
})

/** The right that a call needs by AWS's reference; none for asking who one is. */
function rightFor(call: string): string | undefined {
  const [service = '', operation = ''] = call.split('.')
  if (service === 'STS') return undefined
  if (service === 'RedshiftData') return `redshift-data:${operation}`
  if (service !== 'S3') return call
  const rights: Readonly<Record<string, string>> = {
    HeadObject: 'GetObject',
    ListObjectsV2: 'ListBucket',
    ListMultipartUploads: 'ListBucketMultipartUploads',
    DeleteObjects: 'DeleteObject',
  }
  return `s3:${rights[operation] ?? operation}`
}

/** The rights that were needed for a piece of work. */
async function rightsUsed(work: () => Promise<void>): Promise<readonly string[]> {
  const before = await aws.calls()
  await work()
  const calls = Object.entries(await aws.calls()).filter(([name, count]) => count > (before[name] ?? 0))
  return [...new Set(calls.map(([name]) => rightFor(name)).filter((right) => right !== undefined))]
}

/** All that roles or policies allow, with Redis online. */
function actionsOf(...names: readonly string[]): readonly string[] {
  const everywhere = new Proxy<Record<string, string>>(
    {OnlineStore: 'redis'},
    {get: (target, name) => target[String(name)] ?? 'known'},
  )
  const found: string[] = []
  for (const name of names) {
    const {AssumeRolePolicyDocument: _, ...rights} = stack.resources[name]?.Properties ?? {}
    JSON.stringify(stack.resolve(rights, everywhere), (key, value: unknown) => {
      if (key === 'Action') found.push(...[value as string | readonly string[]].flat())
      return value
    })
  }
  return found
}

async function keysOutside(prefixes: readonly string[]): Promise<readonly string[]> {
  const {Contents = []} = await aws.s3.send(new ListObjectsV2Command({Bucket: known['Bucket']}))
  const keys = Contents.map(({Key = ''}) => Key)
  return keys.filter((key) => !prefixes.some((prefix) => key.startsWith(prefix)))
}

function sameAnswers(found: typeof expected): void {
  // Texts of a megabyte would take long to tell apart.
  const {csv, interval, bytes, ...rest} = found
  const {csv: csvExpected, interval: intervalExpected, bytes: bytesExpected, ...restExpected} = expected
  expect(rest).toEqual(restExpected)
  expect(bytes.equals(bytesExpected)).toBe(true)
  expect(csv === csvExpected).toBe(true)
  expect(interval === intervalExpected).toBe(true)
}
