/** Training frames that are written to S3: whole or not at all. */
import {mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {S3Objects} from '../../src/aws/s3/s3-objects.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'

const Bucket = 'frames'
let aws: AdoptedAws
let s3: AdoptedAws['s3']
let repo = ''
let temporary = ''

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'fs-s3-output-'))
  aws = await adoptAws({bucket: Bucket, variables: {TMPDIR: temporary}})
  s3 = aws.s3
  repo = createStatsRepo('{type: embedded}')
  await writeStats(repo, 50, '1')
  writeFileSync(
    join(repo, 'entities.csv'),
    'driver_id,event_timestamp\n1,2026-01-02T00:00:00Z\n99,2026-01-02T00:00:00Z\n',
  )
  expect(await runFs(['apply', '-C', repo])).toMatchObject({code: 0})
})
beforeEach(() => aws.heal())
afterAll(async () => {
  rmSync(repo, {recursive: true})
  rmSync(temporary, {recursive: true})
  await aws.dispose()
})

const bytesOf = async (Key: string): Promise<Buffer> => {
  const {Body} = await s3.send(new GetObjectCommand({Bucket, Key}))
  return Buffer.from(await Body!.transformToByteArray())
}

/** `fs` spools among the system's temporary files. */
const left = (): readonly string[] => readdirSync(temporary).filter((name) => /frame/.test(name))

const command = (output: string): readonly string[] => [
  'get-historical-features',
  ...[
    '-C',
    repo,
    '--entities',
    join(repo, 'entities.csv'),
    '--features',
    'stats:version',
    '--output',
    output,
  ],
]

describe('fs get-historical-features --output s3://…', () => {
  test.each(['csv', 'parquet', 'arrow'])('writes what it writes to a file (%s)', async (ending) => {
    const local = join(repo, `frame.${ending}`)
    const there = `s3://${Bucket}/made today/frame.${ending}`
    await runFsJson(command(local))
    expect(await runFsJson(command(there))).toMatchObject({path: there, rows: 2})
    expect(await bytesOf(`made today/frame.${ending}`)).toEqual(readFileSync(local))
    expect(left()).toEqual([])
  })

  test('leaves what was there when S3 refuses, and tells it', async () => {
    await runFsJson(command(`s3://${Bucket}/kept/frame.csv`))
    const earlier = await bytesOf('kept/frame.csv')
    await aws.faults([{operation: 'S3.PutObject', type: 'AccessDenied', status: 403}])
    const {code, stdout} = await runFs([...command(`s3://${Bucket}/kept/frame.csv`), '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {code: 'FS_OUTPUT_FAILED', message: expect.stringMatching(/access is denied to arn:aws:/)},
    })
    expect(await bytesOf('kept/frame.csv')).toEqual(earlier)
    expect(left()).toEqual([])
  })

  test.each([
    [`s3://no-such-bucket/frame.csv`, 'there is no bucket `no-such-bucket`'],
    [`s3://${Bucket}`, 'it names no object'],
  ])('%s: %s', async (output, reason) => {
    const {code, stdout} = await runFs([...command(output), '--format', 'csv', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {code: 'FS_OUTPUT_FAILED', message: `${output} can't be written: ${reason}.`},
    })
  })
})

describe('fs get-historical-features --entities s3://…', () => {
  test('reads entity rows there, and leaves nothing of them', async () => {
    const entities = readFileSync(join(repo, 'entities.csv'))
    await s3.send(new PutObjectCommand({Bucket, Key: 'in/entities.csv', Body: entities}))
    const local = join(repo, 'local.csv')
    await runFsJson(command(local))
    const there = join(repo, 'there.csv')
    await runFsJson(
      command(there).map((one) => (one.endsWith('entities.csv') ? `s3://${Bucket}/in/entities.csv` : one)),
    )
    expect(readFileSync(there)).toEqual(readFileSync(local))
    expect(readdirSync(temporary).filter((name) => name.startsWith('fs-entities'))).toEqual([])
  })

  test('tells an object that is not there', async () => {
    const args = command(join(repo, 'x.csv')).map((one) =>
      one.endsWith('entities.csv') ? `s3://${Bucket}/none.csv` : one,
    )
    const {code, stdout} = await runFs([...args, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'FS_ENTITY_ROWS_INVALID',
        message: `The file of entity rows s3://${Bucket}/none.csv can't be read: there is no such object.`,
      },
    })
  })
})

describe('a file that is more than one part', () => {
  const bytes = 70 * 2 ** 20
  let file = ''
  beforeAll(() => {
    file = join(temporary, 'large')
    writeFileSync(file, 'begin')
    truncateSync(file, bytes)
  })

  test('is there when all of its parts are', async () => {
    await using objects = await S3Objects.open({region: 'us-east-1'})
    await aws.faults([{operation: 'S3.UploadPart', type: 'SlowDown', status: 503}])
    await objects.upload({bucket: Bucket, key: 'large'}, file)
    const {ContentLength, ETag} = await s3.send(new HeadObjectCommand({Bucket, Key: 'large'}))
    expect(ContentLength).toBe(bytes)
    expect(ETag).toMatch(/-9"$/)
  })

  test('leaves no parts behind when one of them fails', async () => {
    await using objects = await S3Objects.open({region: 'us-east-1'})
    await aws.faults([{operation: 'S3.UploadPart', skip: 1, type: 'AccessDenied', status: 403}])
    await expect(objects.upload({bucket: Bucket, key: 'never'}, file)).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    expect((await s3.send(new ListMultipartUploadsCommand({Bucket}))).Uploads ?? []).toEqual([])
    await expect(s3.send(new HeadObjectCommand({Bucket, Key: 'never'}))).rejects.toMatchObject({
      name: 'NotFound',
    })
  })
})
