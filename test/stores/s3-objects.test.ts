/** Bodies of objects that break off or fall silent on their way. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {S3Object} from '../../src/aws/s3/s3-location.js'
import {S3Objects} from '../../src/aws/s3/s3-objects.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'

const Bucket = 'bodies'
const content = Buffer.alloc(300_000, 'abcdefghij')
let aws: AdoptedAws
let objects: S3Objects
let folder = ''
let files = 0
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-bodies-'))
  aws = await adoptAws({bucket: Bucket})
  // Fetched with a checksum too, as what the SDK itself has put.
  await aws.s3.send(new PutObjectCommand({Bucket, Key: 'whole', Body: content}))
  objects = await S3Objects.open({region: 'us-east-1'}, {mostSilenceMillis: 500})
})
beforeEach(() => aws.heal())
afterAll(async () => {
  await objects[Symbol.asyncDispose]()
  await aws.dispose()
  rmSync(folder, {recursive: true})
})

const newFile = (): string => join(folder, String((files += 1)))
const whole = async (): Promise<S3Object> => (await objects.head({bucket: Bucket, key: 'whole'}))!
const gets = async (): Promise<number> => (await aws.calls())['S3.GetObject'] ?? 0

describe.each([
  ['breaks off', {cut: true}],
  ['falls silent', {}],
])('a body that %s', (_, fault) => {
  const faults = (times: number) =>
    aws.faults([{operation: 'S3.GetObject', bodyBytes: 100_000, times, ...fault}])

  test('is fetched again, whole', async () => {
    const file = newFile()
    await faults(2)
    await objects.download(await whole(), file)
    expect(readFileSync(file).equals(content)).toBe(true)
    await faults(2)
    const {text} = await objects.getText(await whole(), content.length)
    expect(text).toBe(content.toString())
  })

  test('is an error where that does not end', async () => {
    const earlier = await gets()
    await faults(100)
    await expect(objects.download(await whole(), newFile())).rejects.toThrow()
    expect((await gets()) - earlier).toBe(4)
  })

  test('is not fetched again where the object has changed', async () => {
    const earlier = await gets()
    await faults(1)
    const changed = expect(objects.download(await whole(), newFile())).rejects.toMatchObject({
      name: 'PreconditionFailed',
    })
    await expect.poll(gets, {interval: 10}).toBe(earlier + 1)
    await aws.s3.send(new PutObjectCommand({Bucket, Key: 'whole', Body: 'other'}))
    await changed
    await aws.s3.send(new PutObjectCommand({Bucket, Key: 'whole', Body: content}))
  })

  test('is not waited for once nobody wants it', async () => {
    const earlier = await gets()
    await faults(100)
    const wanted = AbortSignal.timeout(100)
    await expect(objects.download(await whole(), newFile(), wanted)).rejects.toThrow()
    expect((await gets()) - earlier).toBeLessThan(3)
  })
})

test('a file that is there stays as it is', async () => {
  const file = newFile()
  writeFileSync(file, 'mine')
  await aws.faults([{operation: 'S3.GetObject', bodyBytes: 100_000, cut: true}])
  await expect(objects.download(await whole(), file)).rejects.toMatchObject({code: 'EEXIST'})
  expect(readFileSync(file, 'utf8')).toBe('mine')
})
