import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {afterEach, beforeEach, expect, test, vi} from 'vitest'
import {awsCredentials} from '../../src/aws/credentials.js'
import {StsServer} from '../support/sts-server.js'

const roleArn = 'arn:aws:iam::222222222222:role/features'
const externalId = 'rides-42'
const clock = (): bigint => BigInt(Date.now()) * 1000n
const minutes = 60_000_000n

/** What a machine may have of its own must not reach the tests. */
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials')
})
afterEach(() => vi.unstubAllEnvs())

function logInAsLoader(): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIALOADER')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
}

test('without a role: what the environment holds', async () => {
  logInAsLoader()
  vi.stubEnv('AWS_SESSION_TOKEN', 'token')
  expect(await awsCredentials({region: 'eu-west-1', clock})()).toMatchObject({
    accessKeyId: 'AKIALOADER',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  })
})

test('no credentials at all is told, with what to check', async () => {
  await expect(awsCredentials({region: 'eu-west-1', clock})()).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: "Credentials of AWS can't be had: Could not load credentials from any providers.",
    hint: expect.stringContaining('aws sts get-caller-identity') as string,
  })
})

test('a role of another account is asked for with its external id, in the region, as who the environment says', async () => {
  logInAsLoader()
  await using sts = await StsServer.start({roleArn, externalId})
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url)
  const credentials = awsCredentials({region: 'eu-west-1', roleArn, externalId, clock})
  // Connections log in at once: one request is enough for them.
  const answers = await Promise.all([credentials(), credentials(), credentials()])
  for (const answer of answers)
    expect(answer).toMatchObject({
      accessKeyId: 'ASIA1',
      secretAccessKey: 'secret-1',
      sessionToken: 'token-1',
    })
  await credentials()
  expect(sts.calls).toEqual([
    {
      roleArn,
      externalId,
      sessionName: 'feature-repo',
      accessKeyId: 'AKIALOADER',
      scope: 'eu-west-1/sts',
    },
  ])
})

test('a role that does not trust us is told with the words of AWS', async () => {
  logInAsLoader()
  await using sts = await StsServer.start({roleArn, externalId})
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url)
  await expect(
    awsCredentials({region: 'eu-west-1', roleArn, externalId: 'wrong', clock})(),
  ).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: `The role ${roleArn} can't be assumed: User: arn:aws:iam::111111111111:user/loader is not authorized to perform: sts:AssumeRole on resource: ${roleArn}.`,
    hint: expect.stringContaining('external_id') as string,
  })
})

test('credentials are renewed before they expire; while they last, a failed renewal harms nobody', async () => {
  logInAsLoader()
  await using sts = await StsServer.start({roleArn, externalId})
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url)
  let later = 0n
  const credentials = awsCredentials({
    region: 'eu-west-1',
    roleArn,
    externalId,
    clock: () => clock() + later,
    patienceMillis: 500,
  })
  expect(await credentials()).toMatchObject({accessKeyId: 'ASIA1'})
  later = 50n * minutes
  expect(await credentials()).toMatchObject({accessKeyId: 'ASIA1'})

  sts.isMute = true
  later = 57n * minutes
  expect(await credentials()).toMatchObject({accessKeyId: 'ASIA1'})
  later = 61n * minutes
  await expect(credentials()).rejects.toMatchObject({code: 'FS_STORE_UNAVAILABLE'})

  sts.isMute = false
  const asked = sts.calls.length
  expect(await credentials()).toMatchObject({accessKeyId: `ASIA${asked + 1}`})
})

test.each(['a role', 'a container'])('%s that never answers is given up', async (kind) => {
  const mute = createServer(() => undefined)
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`
  if (kind === 'a role') {
    logInAsLoader()
    vi.stubEnv('AWS_ENDPOINT_URL_STS', url)
  } else vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url)
  const role = kind === 'a role' ? {roleArn, externalId} : {}
  const credentials = awsCredentials({region: 'eu-west-1', ...role, clock, patienceMillis: 100})
  await expect(credentials()).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    message: expect.stringContaining('no answer within 0.1 s') as string,
  })
  mute.close()
})
