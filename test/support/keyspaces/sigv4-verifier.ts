import {createHash, createHmac, randomBytes} from 'node:crypto'

export interface KnownCredentials {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** How far the clocks of the two sides may be apart. */
const toleranceMillis = 15 * 60_000

/**
 * The server's side of a login by SigV4, computed apart from what it tests. It knows one key; it does not prove that
 * AWS takes the same view of expired tokens, of policies, or of anything else that is not in the signature.
 */
export class SigV4Verifier {
  readonly #known: KnownCredentials
  readonly #nonce = randomBytes(16).toString('hex')

  constructor(known: KnownCredentials) {
    this.#known = known
  }

  get challenge(): Buffer {
    return Buffer.from(`nonce=${this.#nonce}`)
  }

  /** Why the answer to the challenge is refused; undefined where it is right. */
  problemWith(answer: string): string | undefined {
    const parts = new Map(answer.split(',').map((part) => part.split(/=(.*)/s, 2) as [string, string]))
    const date = parts.get('amzdate') ?? ''
    if (
      parts.get('access_key') !== this.#known.accessKeyId ||
      parts.get('session_token') !== this.#known.sessionToken
    )
      return 'The security token included in the request is invalid'
    if (!(Math.abs(Date.parse(date) - Date.now()) < toleranceMillis)) return 'Signature expired'
    if (parts.get('signature') !== this.#signature(date))
      return 'The request signature we calculated does not match the signature you provided'
    return undefined
  }

  #signature(date: string): string {
    const {region, accessKeyId, secretAccessKey} = this.#known
    const day = date.slice(0, 10).replaceAll('-', '')
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    const hmac = (key: string | Buffer, text: string): Buffer =>
      createHmac('sha256', key).update(text).digest()
    const query = new URLSearchParams([
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', `${accessKeyId}/${day}/${region}/cassandra/aws4_request`],
      ['X-Amz-Date', date],
      ['X-Amz-Expires', '900'],
    ])
    const request = `PUT\n/authenticate\n${query.toString()}\nhost:cassandra\n\nhost\n${sha256(this.#nonce)}`
    const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), 'cassandra'), 'aws4_request')
    const scope = `${day}/${region}/cassandra/aws4_request`
    return hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(request)}`).toString('hex')
  }
}
