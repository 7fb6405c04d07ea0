import {promisify} from 'node:util'
import type {auth} from 'cassandra-driver'
import {expect, test} from 'vitest'
import {FeatureStoreError} from '../../../src/errors.js'
import type {AwsCredentials} from '../../../src/aws/credentials.js'
import {SigV4AuthProvider} from '../../../src/online/cassandra/keyspaces/sigv4-authenticator.js'

const credentials = {accessKeyId: 'UserID-1', secretAccessKey: 'UserSecretKey-1'}
const nonce = 'nonce=91703fdc2ef562e19fbdab0f58e42fe5'

function authenticator(found: () => Promise<AwsCredentials>): auth.Authenticator {
  const clock = () => 1_591_742_511_000_000n
  return new SigV4AuthProvider({region: 'us-west-2', credentials: found, clock}).newAuthenticator()
}

async function answerTo(challenge: string, found: AwsCredentials = credentials): Promise<string> {
  const one = authenticator(() => Promise.resolve(found))
  const evaluate = promisify<Buffer, Buffer>(one.evaluateChallenge.bind(one))
  return (await evaluate(Buffer.from(challenge))).toString()
}

test('the first token names the mechanism', async () => {
  const one = authenticator(() => Promise.resolve(credentials))
  const first = await promisify<Buffer>(one.initialResponse.bind(one))()
  expect(first.toString('latin1')).toBe('SigV4\0\0')
})

// The vector that AWS publishes with each of its plugins, e.g. github.com/aws/aws-sigv4-auth-cassandra-java-driver-plugin.
test('the signature is the published one', async () => {
  const expected =
    'signature=7f3691c18a81b8ce7457699effbfae5b09b4e0714ab38c1292dbdf082c9ddd87,access_key=UserID-1,amzdate=2020-06-09T22:41:51.000Z'
  expect(await answerTo(nonce)).toBe(expected)
  expect(await answerTo(`${nonce},more=later`)).toBe(expected)
  expect(await answerTo(nonce, {...credentials, sessionToken: 'sess-token-1'})).toBe(
    `${expected},session_token=sess-token-1`,
  )
})

test('a challenge without a nonce is told as a server of another kind', async () => {
  await expect(answerTo('realm=cassandra')).rejects.toMatchObject({
    code: 'FS_STORE_UNAVAILABLE',
    hint: expect.stringContaining('endpoint') as string,
  })
})

test('credentials that can not be had fail the login with their own reason', async () => {
  const reason = new FeatureStoreError('FS_STORE_UNAVAILABLE', 'no credentials')
  const one = authenticator(() => Promise.reject(reason))
  const evaluate = promisify<Buffer, Buffer>(one.evaluateChallenge.bind(one))
  await expect(evaluate(Buffer.from(nonce))).rejects.toBe(reason)
})
