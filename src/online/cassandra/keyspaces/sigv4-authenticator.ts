/**
 * The login of Amazon Keyspaces with credentials of AWS, instead of a password: Signature Version 4 over the SASL frames
 * of the protocol of Cassandra.
 * https://docs.aws.amazon.com/keyspaces/latest/devguide/programmatic.credentials.html
 */
import {createHash, createHmac} from 'node:crypto'
import {auth} from 'cassandra-driver'
import {FeatureStoreError} from '../../../errors.js'
import type {AwsCredentials} from '../../../aws/credentials.js'

export interface SigV4Options {
  readonly region: string
  /** Asked at each login; must settle in bounded time. */
  readonly credentials: () => Promise<AwsCredentials>
  /** Epoch microseconds; AWS refuses a signature whose time is minutes away from its own. */
  readonly clock: () => bigint
}

// The driver takes only instances of its class, of which its types tell the interface alone.
const {AuthProvider} = auth as unknown as {readonly AuthProvider: new () => auth.AuthProvider}

/** Logs every connection in with the credentials that are valid at that time. */
export class SigV4AuthProvider extends AuthProvider {
  readonly #options: SigV4Options

  constructor(options: SigV4Options) {
    super()
    this.#options = options
  }

  override newAuthenticator(): auth.Authenticator {
    return new SigV4Authenticator(this.#options)
  }
}

/** Calls back with a token, or with the error that a caller of the driver finds as the reason of its own. */
type Callback = (error: unknown, token?: Buffer) => void

class SigV4Authenticator implements auth.Authenticator {
  readonly #options: SigV4Options

  constructor(options: SigV4Options) {
    this.#options = options
  }

  initialResponse(callback: Callback): void {
    callback(null, Buffer.from('SigV4\0\0'))
  }

  evaluateChallenge(challenge: Buffer, callback: Callback): void {
    // Two handlers: what the callback throws must not call it a second time.
    this.#answer(challenge.toString()).then(
      (answer) => callback(null, Buffer.from(answer)),
      (error: unknown) => callback(error),
    )
  }

  onAuthenticationSuccess(): void {
    // There is nothing to keep: a connection logs in once.
  }

  async #answer(challenge: string): Promise<string> {
    const nonce = /(?:^|,)nonce=([^,]+)/.exec(challenge)?.[1]
    if (nonce === undefined)
      throw new FeatureStoreError('FS_STORE_UNAVAILABLE', 'The server does not log in by SigV4.', {
        hint: 'Check `online_store.endpoint`: it must be one of Amazon Keyspaces.',
      })
    const {region, credentials, clock} = this.#options
    // The time after the credentials, which may take theirs.
    const {accessKeyId, secretAccessKey, sessionToken} = await credentials()
    const date = new Date(Number(clock() / 1000n)).toISOString()
    const signature = sign({region, nonce, date, accessKeyId, secretAccessKey})
    return [
      `signature=${signature}`,
      `access_key=${accessKeyId}`,
      `amzdate=${date}`,
      ...(sessionToken === undefined ? [] : [`session_token=${sessionToken}`]),
    ].join(',')
  }
}

/**
 * A presigned `PUT /authenticate` that is never sent: the nonce stands for its body.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
function sign(request: {
  readonly region: string
  readonly nonce: string
  readonly date: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}): string {
  const {region, nonce, date, accessKeyId, secretAccessKey} = request
  const scope = [date.slice(0, 10).replaceAll('-', ''), region, 'cassandra', 'aws4_request']
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent([accessKeyId, ...scope].join('/'))}`,
    // Unlike in HTTP, the date keeps its dashes, colons and milliseconds.
    `X-Amz-Date=${encodeURIComponent(date)}`,
    'X-Amz-Expires=900',
  ].join('&')
  const canonical = ['PUT', '/authenticate', query, 'host:cassandra', '', 'host', sha256(nonce)].join('\n')
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n')
  const key = scope.reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${secretAccessKey}`)
  return hmac(key, text).toString('hex')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
