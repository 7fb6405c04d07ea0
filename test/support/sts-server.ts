import {createServer, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'

/** What a call of AssumeRole asked for, and as whom. */
export interface AssumeRoleCall {
  readonly roleArn: string | null
  readonly externalId: string | null
  readonly sessionName: string | null
  /** The access key that signed the call. */
  readonly accessKeyId: string | undefined
  /** `region/service` that it was signed for. */
  readonly scope: string | undefined
}

/**
 * STS as far as AssumeRole goes, at the wire: it knows one role, and the external id, if any, without which it may not be
 * assumed. It proves what the client asks for and what it makes of the answers. It does not verify signatures, knows no
 * policies, and its sessions mean nothing to any other service.
 */
export class StsServer implements AsyncDisposable {
  readonly calls: AssumeRoleCall[] = []
  /** How long the sessions that it gives are valid. */
  sessionMillis = 3_600_000
  /** Accepts calls and leaves them without an answer. */
  isMute = false
  readonly #server: Server
  readonly #known: {readonly roleArn: string; readonly externalId: string | null}

  private constructor(known: {readonly roleArn: string; readonly externalId: string | null}) {
    this.#known = known
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(chunks).toString())
        const answer = this.#answer(form, request.headers.authorization ?? '')
        if (this.isMute) return
        response.writeHead(answer.status, {'content-type': 'text/xml'}).end(answer.body)
      })
    })
  }

  static async start(known: {
    readonly roleArn: string
    readonly externalId: string | null
  }): Promise<StsServer> {
    const sts = new StsServer(known)
    await new Promise<void>((resolve) => sts.#server.listen(0, '127.0.0.1', resolve))
    return sts
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(form: URLSearchParams, authorization: string): {readonly status: number; readonly body: string} {
    const [, accessKeyId, scope] =
      /Credential=([^/]+)\/\d+\/([^/]+\/[^/]+)\/aws4_request/.exec(authorization) ?? []
    const call = {
      roleArn: form.get('RoleArn'),
      externalId: form.get('ExternalId'),
      sessionName: form.get('RoleSessionName'),
      accessKeyId,
      scope,
    }
    this.calls.push(call)
    const {roleArn, externalId} = this.#known
    if (form.get('Action') !== 'AssumeRole' || call.roleArn !== roleArn || call.externalId !== externalId)
      return {
        status: 403,
        body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>User: arn:aws:iam::111111111111:user/loader is not authorized to perform: sts:AssumeRole on resource: ${call.roleArn ?? ''}</Message>
</Error><RequestId>0</RequestId></ErrorResponse>`,
      }
    const number = this.calls.length
    return {
      status: 200,
      body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>${roleArn}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA${number}</AccessKeyId><SecretAccessKey>secret-${number}</SecretAccessKey>
<SessionToken>token-${number}</SessionToken><Expiration>${new Date(Date.now() + this.sessionMillis).toISOString()}</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></AssumeRoleResponse>`,
    }
  }
}
