import {join} from 'node:path'
import {writeFileSync} from 'node:fs'
import {GetObjectCommand, ListObjectsV2Command, PutObjectCommand} from '@aws-sdk/client-s3'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {Finding} from '../../src/examination.js'
import {openRegistry} from '../../src/registry/drivers.js'
import type {Registry} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'
import {describeRegistry} from '../conformance/registry.js'
import {sampleDocument} from '../registry/sample-document.js'
import {bundleFixture, startFixture} from '../registry/start-fixture.js'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {createStatsRepo, writeStats} from '../support/stats-repo.js'

let aws: AdoptedAws
let s3: AdoptedAws['s3']
let updateMany: string
let objects = 0
const Bucket = 'registries'

beforeAll(async () => {
  aws = await adoptAws({bucket: Bucket})
  s3 = aws.s3
  updateMany = await bundleFixture(new URL('../registry/fixtures/update-many.ts', import.meta.url))
})
beforeEach(() => aws.heal())
afterAll(async () => {
  await aws.dispose()
})

const newLocation = (): string => `s3://${Bucket}/team ${(objects += 1)}/registry.json`
const open = (location: string, project = 'rides'): Promise<Registry> =>
  openRegistry({location, project, repoDirectory: '/'})
const keyOf = (location: string): string => location.slice(`s3://${Bucket}/`.length)
const textOf = async (location: string): Promise<string> => {
  const {Body} = await s3.send(new GetObjectCommand({Bucket, Key: keyOf(location)}))
  return Body!.transformToString()
}
const putsOf = async (): Promise<number> => (await aws.calls())['S3.PutObject'] ?? 0

const adding =
  (name: string) =>
  <T extends {readonly pendingDrops: readonly string[]}>(document: T): T => ({
    ...document,
    pendingDrops: [...document.pendingDrops, name],
  })

describeRegistry('S3', () => {
  const location = newLocation()
  return Promise.resolve({
    isShared: false,
    open: (project) => open(location, project),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
})

describe('a registry in S3', () => {
  test('is a readable object, which keeps its revision to itself', async () => {
    const location = newLocation()
    await using registry = await open(location)
    const {revision} = await registry.commit(sampleDocument(), 'none')
    expect(JSON.parse(await textOf(location))).toMatchObject({project: 'rides', revision})
    // The same document again is another text, so that an ETag never comes back.
    const again = await registry.commit(sampleDocument(), revision)
    expect(again.revision).not.toBe(revision)
    await expect(registry.commit(sampleDocument(), revision)).rejects.toMatchObject({
      code: 'FS_REGISTRY_CONFLICT',
    })
  })

  test('a commit after a read is one request', async () => {
    const location = newLocation()
    await using registry = await open(location)
    await registry.commit(sampleDocument(), 'none')
    const {document, revision} = await registry.read()
    const earlier = await aws.calls()
    await registry.commit(document, revision)
    const later = await aws.calls()
    expect((later['S3.PutObject'] ?? 0) - (earlier['S3.PutObject'] ?? 0)).toBe(1)
    expect(later['S3.GetObject']).toBe(earlier['S3.GetObject'])
  })

  test('of two that commit from one revision one is told that the other was first', async () => {
    const location = newLocation()
    await using one = await open(location)
    await using two = await open(location)
    const {document, revision} = await one.read()
    await two.read()
    const done = await Promise.allSettled([
      one.commit(adding('one')(document), revision),
      two.commit(adding('two')(document), revision),
    ])
    expect(done.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
    expect(done.find(({status}) => status === 'rejected')).toMatchObject({
      reason: {code: 'FS_REGISTRY_CONFLICT'},
    })
  })

  test('loses none of 60 updates that three processes make at once', async () => {
    const location = newLocation()
    const writers = ['a', 'b', 'c'].map((name) => startFixture(updateMany, [location, name, '20']))
    expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual([0, 0, 0])
    await using registry = await open(location)
    const {document} = await registry.read()
    expect(document.pendingDrops).toHaveLength(60)
    expect(new Set(document.pendingDrops).size).toBe(60)
  })

  test.each([
    ['the first', 0],
    ['a later one', 2],
  ])('%s commit whose answer was lost is known as its own', async (_, earlier) => {
    const location = newLocation()
    await using registry = await open(location)
    for (let index = 0; index < earlier; index += 1) await updateRegistry(registry, adding(`before_${index}`))
    const puts = await putsOf()
    await aws.faults([{operation: 'S3.PutObject', cut: true, after: true}])
    await updateRegistry(registry, adding('mine'))
    expect((await putsOf()) - puts).toBe(2)
    const {document} = await registry.read()
    expect(document.pendingDrops.filter((name) => name === 'mine')).toHaveLength(1)
    await updateRegistry(registry, adding('next'))
    expect((await registry.read()).document.pendingDrops.slice(-2)).toEqual(['mine', 'next'])
  })

  test('a commit whose answer was lost counts once, also when others went on from it', async () => {
    const location = newLocation()
    await using cut = await open(location)
    await using other = await open(location)
    await updateRegistry(cut, adding('before'))
    await other.read()
    await aws.faults([
      // The answer is lost after a while, in which the other goes on from what was written.
      {operation: 'S3.PutObject', cut: true, after: true},
      {operation: 'S3.PutObject', delayMillis: 1500, type: 'SlowDown'},
    ])
    const mine = updateRegistry(cut, adding('mine'))
    await expect
      .poll(async () => (await other.read()).document.pendingDrops, {interval: 20, timeout: 10_000})
      .toContain('mine')
    // The retry of the first waits in the meantime.
    await expect.poll(() => putsOf(), {interval: 20, timeout: 10_000}).toBeGreaterThan(1)
    await updateRegistry(other, adding('other'))
    await mine
    expect((await cut.read()).document.pendingDrops.toSorted()).toEqual(['before', 'mine', 'other'])
  })

  test('waits out throttling, and conflicts of writes that S3 can not order', async () => {
    const location = newLocation()
    await using registry = await open(location)
    await aws.faults([
      {operation: 'S3.GetObject', type: 'SlowDown', status: 503, times: 2},
      {operation: 'S3.PutObject', type: 'ConditionalRequestConflict', status: 409, times: 2},
      {operation: 'S3.PutObject', type: 'SlowDown', status: 503, times: 2},
    ])
    await updateRegistry(registry, adding('mine'))
    expect((await registry.read()).document.pendingDrops).toEqual(['mine'])
  })

  test('tells a bucket that is not there, a refusal with who asked, and what is no location', async () => {
    await using missing = await open('s3://no-such-bucket/registry.json')
    await expect(missing.commit(sampleDocument(), 'none')).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNWRITABLE',
      message: `The registry s3://no-such-bucket/registry.json can't be written: there is no bucket \`no-such-bucket\`.`,
    })
    await using denied = await open(newLocation())
    await aws.faults([{operation: 'S3.GetObject', type: 'AccessDenied', status: 403}])
    await expect(denied.read()).rejects.toMatchObject({
      code: 'FS_REGISTRY_UNREADABLE',
      message: expect.stringMatching(/access is denied to arn:aws:\S+/),
      hint: expect.stringContaining('s3:GetObject'),
    })
    await expect(open(`s3://${Bucket}`)).rejects.toMatchObject({code: 'FS_CONFIG_INVALID'})
    await expect(open(`s3://${Bucket}/folder/`)).rejects.toMatchObject({code: 'FS_CONFIG_INVALID'})
  })

  test('tells an object that is no registry', async () => {
    const location = newLocation()
    await s3.send(new PutObjectCommand({Bucket, Key: keyOf(location), Body: 'hello'}))
    await using registry = await open(location)
    await expect(registry.read()).rejects.toMatchObject({code: 'FS_REGISTRY_UNREADABLE'})
  })
})

describe('what doctor does to see whether a registry may be written', () => {
  const findingsOf = async (registry: Registry): Promise<readonly Finding[]> => {
    const findings: Finding[] = []
    for await (const one of registry.examine(() => BigInt(Date.now()) * 1000n)) findings.push(one)
    return findings
  }
  const keysBeside = async (location: string): Promise<readonly string[]> => {
    const listed = await s3.send(new ListObjectsV2Command({Bucket, Prefix: keyOf(location)}))
    return (listed.Contents ?? []).map(({Key}) => Key!)
  }

  test.each([
    ['with a registry', true],
    ['without one', false],
  ])('%s: leaves all as it was', async (_, isThere) => {
    const location = newLocation()
    await using registry = await open(location)
    if (isThere) await registry.commit(sampleDocument(), 'none')
    expect(await findingsOf(registry)).toMatchObject([
      {name: 'credentials', status: 'ok'},
      {name: 'clock', status: 'ok'},
      {name: 'writable', status: 'ok', detail: `${location}, on conditions`},
    ])
    expect(await keysBeside(location)).toEqual(isThere ? [keyOf(location)] : [])
  })

  test('where conditions are ignored: says so, and the registry is as it was', async () => {
    const location = newLocation()
    await using registry = await open(location)
    const {revision} = await registry.commit(sampleDocument(), 'none')
    await aws.faults([{operation: 'S3.PutObject', unconditional: true}])
    expect((await findingsOf(registry)).at(-1)).toMatchObject({
      name: 'writable',
      status: 'failed',
      detail: expect.stringMatching(/ignores the conditions .* could lose its update$/) as string,
    })
    expect(JSON.parse(await textOf(location))).toMatchObject({revision})
    expect(await keysBeside(location)).toEqual([keyOf(location)])
  })

  test('a refusal is told with the object it is about', async () => {
    const location = newLocation()
    await using registry = await open(location)
    await aws.faults([{operation: 'S3.PutObject', type: 'AccessDenied', status: 403}])
    expect((await findingsOf(registry)).at(-1)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(`${location}.doctor: access is denied to arn:`) as string,
    })
  })
})

describe('fs with a registry in S3', () => {
  test.each([
    ['short', (location: string) => `registry: ${location}`],
    [
      'with a role',
      (location: string) =>
        `registry: {type: s3, path: "${location}", region: us-east-1, role_arn: "arn:aws:iam::123456789012:role/features", external_id: x}`,
    ],
  ])('applies, looks and tears down (%s)', async (_, yaml) => {
    const location = newLocation().replace(' ', '-')
    const repo = createStatsRepo('{type: embedded}')
    writeFileSync(join(repo, 'feature_store.yaml'), `project: rides\n${yaml(location)}\n`)
    await writeStats(repo, 50, '1')
    const applied = await runFs(['apply', '-C', repo])
    expect(applied).toMatchObject({code: 0})
    expect(applied.stdout).toContain(location)
    expect(JSON.parse(await textOf(location))).toMatchObject({format: 'feature-repo registry'})
    const run = await runFsJson(['materialize-incremental', '-C', repo])
    expect(run['views']).toMatchObject([{status: 'ok', rows: {written: 50}}])
    const {checks} = (await runFsJson(['doctor', '-C', repo])) as {
      readonly checks: readonly {
        readonly part: string
        readonly name: string
        readonly status: string
        readonly detail: string
      }[]
    }
    const found = checks.filter(({part}) => part === 'registry')
    expect(found.map(({name, status}) => [name, status])).toEqual([
      ['readable', 'ok'],
      ['credentials', 'ok'],
      ['clock', 'ok'],
      ['writable', 'ok'],
    ])
    expect(found[1]?.detail).toMatch(/^arn:aws:/)
    expect(await runFs(['teardown', '--yes', '-C', repo])).toMatchObject({code: 0})
    await expect(textOf(location)).rejects.toMatchObject({name: 'NoSuchKey'})
  })
})
