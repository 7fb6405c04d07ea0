import {
  CreateDatabaseCommand,
  CreateTableCommand,
  GetTableCommand,
  GlueClient,
  paginateGetTables,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {AssumeRoleCommand, STSClient} from '@aws-sdk/client-sts'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {duckDbExtensions, startAws, type AwsStandIn} from '../support/aws-stand-in.js'

let aws: AwsStandIn
let s3: S3Client
let glue: GlueClient
let client: {readonly endpoint: string; readonly region: string; readonly credentials: typeof credentials}

const credentials = {accessKeyId: 'test', secretAccessKey: 'test'}
const Bucket = 'features'

beforeAll(async () => {
  aws = await startAws({redshift: false})
  client = {endpoint: aws.url, region: 'us-east-1', credentials}
  s3 = new S3Client({...client, forcePathStyle: true})
  glue = new GlueClient(client)
  await s3.send(new CreateBucketCommand({Bucket}))
  await glue.send(new CreateDatabaseCommand({DatabaseInput: {Name: 'lake'}}))
})

beforeEach(() => aws.heal())

afterAll(async () => {
  s3.destroy()
  glue.destroy()
  await aws.dispose()
})

const put = (Key: string, Body: string | Buffer, conditions: {IfMatch?: string; IfNoneMatch?: string} = {}) =>
  s3.send(new PutObjectCommand({Bucket, Key, Body, ...conditions}))

const callsOf = async (operation: string): Promise<number> => (await aws.calls())[operation] ?? 0

describe('S3', () => {
  test('a put on the condition that nothing is there, or that what is there is known, is refused with 412', async () => {
    const {ETag} = await put('conditional', 'one', {IfNoneMatch: '*'})
    await expect(put('conditional', 'two', {IfNoneMatch: '*'})).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: {httpStatusCode: 412},
    })
    await put('conditional', 'two', {IfMatch: ETag!})
    await expect(put('conditional', 'three', {IfMatch: ETag!})).rejects.toMatchObject({
      $metadata: {httpStatusCode: 412},
    })
  })

  test('of twenty puts at once on the condition that nothing is there, one wins', async () => {
    for (const race of Array.from({length: 10}, (_, index) => `race ${index}`)) {
      const puts = await Promise.allSettled(
        Array.from({length: 20}, (_, index) => put(race, `writer ${index}`, {IfNoneMatch: '*'})),
      )
      expect(puts.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
    }
  })

  test('a put whose answer is lost took effect, so the retry of the SDK is refused', async () => {
    const before = await callsOf('S3.PutObject')
    await aws.faults([{operation: 'S3.PutObject', path: '/lost', cut: true, after: true}])
    await expect(put('lost', 'mine', {IfNoneMatch: '*'})).rejects.toMatchObject({
      $metadata: {httpStatusCode: 412},
    })
    const {Body} = await s3.send(new GetObjectCommand({Bucket, Key: 'lost'}))
    expect(await Body!.transformToString()).toBe('mine')
    expect((await callsOf('S3.PutObject')) - before).toBe(2)
  })

  test('a put that is cut before took no effect', async () => {
    const once = new S3Client({...client, forcePathStyle: true, maxAttempts: 1})
    await aws.faults([{operation: 'S3.*', path: '/cut', cut: true}])
    await expect(once.send(new PutObjectCommand({Bucket, Key: 'cut', Body: 'x'}))).rejects.toThrow()
    await expect(s3.send(new HeadObjectCommand({Bucket, Key: 'cut'}))).rejects.toMatchObject({
      name: 'NotFound',
    })
    once.destroy()
  })

  test('SlowDown is waited out by the SDK, and so is a conflict of writers', async () => {
    const before = await callsOf('S3.PutObject')
    await aws.faults([{operation: 'S3.PutObject', type: 'SlowDown', status: 503, times: 2}])
    await put('slow', 'x')
    expect((await callsOf('S3.PutObject')) - before).toBe(3)
    await aws.faults([{operation: 'S3.PutObject', type: 'ConditionalRequestConflict', status: 409}])
    await expect(put('slow', 'y', {IfMatch: '"x"'})).rejects.toMatchObject({
      name: 'ConditionalRequestConflict',
      $metadata: {httpStatusCode: 409},
    })
  })

  test('a fault may let requests pass before it comes', async () => {
    const once = new S3Client({...client, forcePathStyle: true, maxAttempts: 1})
    await aws.faults([{operation: 'S3.HeadObject', type: 'SlowDown', skip: 1}])
    await put('skipped', 'x')
    const head = () => once.send(new HeadObjectCommand({Bucket, Key: 'skipped'}))
    await head()
    await expect(head()).rejects.toMatchObject({$metadata: {httpStatusCode: 503}})
    await head()
    once.destroy()
  })

  test('objects of many megabytes pass, ranges of them too', async () => {
    const bytes = Buffer.alloc(20_000_000, 'feature')
    await put('large', bytes)
    const whole = await s3.send(new GetObjectCommand({Bucket, Key: 'large'}))
    expect(Buffer.from(await whole.Body!.transformToByteArray()).equals(bytes)).toBe(true)
    const range = await s3.send(new GetObjectCommand({Bucket, Key: 'large', Range: 'bytes=7-13'}))
    expect(range.$metadata.httpStatusCode).toBe(206)
    expect(await range.Body!.transformToString()).toBe('feature')
  })
})

describe('Glue', () => {
  const create = (Name: string) =>
    glue.send(new CreateTableCommand({DatabaseName: 'lake', TableInput: {Name, Parameters: {kind: 'test'}}}))

  test('lists come in pages', async () => {
    for (let index = 0; index < 7; index++) await create(`paged_${index}`)
    const before = await callsOf('Glue.GetTables')
    const pages: number[] = []
    for await (const {TableList} of paginateGetTables({client: glue, pageSize: 3}, {DatabaseName: 'lake'}))
      pages.push(TableList!.length)
    expect(pages).toEqual([3, 3, 1])
    expect((await callsOf('Glue.GetTables')) - before).toBe(3)
  })

  test('names are in lower case', async () => {
    await create('Loans')
    const {Table} = await glue.send(new GetTableCommand({DatabaseName: 'LAKE', Name: 'lOANS'}))
    expect(Table).toMatchObject({Name: 'loans', DatabaseName: 'lake'})
  })

  test('an update of a version that is not the newest is refused, and one of ten at once wins', async () => {
    await create('versioned')
    const {Table} = await glue.send(new GetTableCommand({DatabaseName: 'lake', Name: 'versioned'}))
    const update = (writer: string) =>
      glue.send(
        new UpdateTableCommand({
          DatabaseName: 'lake',
          TableInput: {Name: 'versioned', Parameters: {writer}},
          VersionId: Table!.VersionId,
        }),
      )
    const updates = await Promise.allSettled(Array.from({length: 10}, (_, writer) => update(String(writer))))
    expect(updates.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
    await expect(update('late')).rejects.toMatchObject({name: 'ConcurrentModificationException'})
  })

  test('throttling is waited out by the SDK', async () => {
    await create('throttled')
    const before = await callsOf('Glue.GetTable')
    await aws.faults([{operation: 'Glue.GetTable', type: 'ThrottlingException', times: 2}])
    await glue.send(new GetTableCommand({DatabaseName: 'lake', Name: 'throttled'}))
    expect((await callsOf('Glue.GetTable')) - before).toBe(3)
  })

  test('what is not there is told by name', async () => {
    await expect(glue.send(new GetTableCommand({DatabaseName: 'lake', Name: 'none'}))).rejects.toMatchObject({
      name: 'EntityNotFoundException',
    })
  })
})

test('a role is assumed, and an error of STS is read as such', async () => {
  const sts = new STSClient(client)
  const assume = () =>
    sts.send(new AssumeRoleCommand({RoleArn: 'arn:aws:iam::222222222222:role/reader', RoleSessionName: 'fs'}))
  expect((await assume()).AssumedRoleUser?.Arn).toContain('reader')
  await aws.faults([{operation: 'STS.AssumeRole', type: 'AccessDenied', status: 403, message: 'no <you>'}])
  await expect(assume()).rejects.toMatchObject({name: 'AccessDenied', message: 'no <you>'})
  sts.destroy()
})

test("DuckDB's signed extensions load, and httpfs reads and writes this S3", async () => {
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: duckDbExtensions(),
    autoinstall_known_extensions: 'false',
  })
  const connection = await instance.connect()
  for (const name of ['httpfs', 'aws', 'avro', 'iceberg', 'delta']) await connection.run(`LOAD ${name}`)
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', ENDPOINT '${aws.url.slice('http://'.length)}', USE_SSL false, URL_STYLE 'path')`,
  )
  await connection.run(`COPY (SELECT range AS n FROM range(1000)) TO 's3://${Bucket}/numbers/a.parquet'`)
  const reader = await connection.runAndReadAll(
    `SELECT sum(n)::BIGINT AS total FROM 's3://${Bucket}/numbers/*.parquet'`,
  )
  expect(reader.getRows()).toEqual([[499_500n]])
  connection.closeSync()
  instance.closeSync()
})
