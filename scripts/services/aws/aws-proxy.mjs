import {once} from 'node:events'
import {createServer} from 'node:http'
import {finished, pipeline} from 'node:stream/promises'
import {setTimeout as sleep} from 'node:timers/promises'
import {errorAnswer, jsonAnswer} from './error-answer.mjs'
import {GlueManners} from './glue-manners.mjs'
import {readAll} from './moto.mjs'
import {isForm, operationName} from './operation-name.mjs'

/** moto refuses in XML whoever has no right, also where a service speaks JSON. */
const refusals = {
  AccessDenied: 'AccessDeniedException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
}

const requestsKept = 1000

/**
 * The one address of AWS: S3, Glue, STS and IAM by moto, with what moto lacks, and the Redshift Data API. Faults come when
 * they are asked for, and calls are counted. What tests ask of the stand-in itself has paths that begin with `/_stand-in/`:
 * `POST faults` (a list of `FaultRule`), `DELETE faults`, `GET calls`, `GET requests`, `GET statements`, `GET health`.
 */
export class AwsProxy {
  #moto
  #glue
  #redshift
  #faults
  #calls = {}
  /** The newest ones: what was asked for, where, by whose key, and of Glue whose catalog. */
  #requests = []
  /** By place, the last one under way. */
  #conditionalWrites = new Map()
  #server = createServer((request, response) => {
    this.#serve(request, response).catch((error) => {
      if (response.headersSent || request.socket.destroyed) request.socket.destroy()
      else send(request, response, {status: 502, headers: {}, body: Buffer.from(String(error.stack))})
    })
  })

  /**
   * @param {object} parts
   * @param {import('./moto.mjs').Moto} parts.moto
   * @param {import('./fault-rules.mjs').FaultRules} parts.faults
   * @param {import('../redshift-data/redshift-data.mjs').RedshiftData} [parts.redshift]
   */
  constructor({moto, faults, redshift}) {
    this.#faults = faults
    this.#moto = moto
    this.#glue = new GlueManners(moto)
    this.#redshift = redshift
    // Shorter than a client's, a connection would end while a request is on its way.
    this.#server.keepAliveTimeout = 60_000
    this.#server.requestTimeout = 0
  }

  /** @param {number} port On 127.0.0.1. */
  listen(port) {
    return new Promise((resolve, reject) => {
      this.#server.on('error', reject).listen(port, '127.0.0.1', resolve)
    })
  }

  async #serve(request, response) {
    if (request.url.startsWith('/_stand-in/')) return send(request, response, await this.#control(request))
    const {method, url, headers} = request
    // Objects may be large, everything else is small and may have to be looked into.
    const body = headers['x-amz-target'] !== undefined || isForm(headers) ? await readAll(request) : undefined
    const operation = operationName({method, url, headers, body})
    this.#calls[operation] = (this.#calls[operation] ?? 0) + 1
    this.#requests.push({operation, url, accessKeyId: accessKeyOf(headers), ...catalogOf(operation, body)})
    if (this.#requests.length > requestsKept) this.#requests.shift()
    const fault = this.#faults.take(operation, url)
    if (fault?.delayMillis !== undefined) await sleep(fault.delayMillis)
    if (fault?.unconditional === true) dropConditions(headers)
    if (fault?.bodyBytes !== undefined) return this.#passSome(fault, request, response)
    const isFailing = fault?.cut === true || fault?.type !== undefined
    if (!isFailing) return this.#inTurn(request, () => this.#pass(operation, request, body, response))
    if (fault.after === true) await this.#inTurn(request, () => this.#takeEffect(operation, request, body))
    else if (body === undefined) await finished(request.resume())
    if (fault.cut === true) request.socket.destroy()
    else send(request, response, errorAnswer(operation, headers, fault))
  }

  /**
   * moto looks and writes in two steps, between which another writer may come; S3 does both in one. So writes on a
   * condition go one after another, each place for itself.
   */
  async #inTurn(request, work) {
    const {method, url, headers} = request
    const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined
    if (!isConditional || method === 'GET' || method === 'HEAD') return work()
    const [place] = url.split('?')
    const before = this.#conditionalWrites.get(place)
    const own = Promise.allSettled([before]).then(work)
    this.#conditionalWrites.set(place, own)
    try {
      return await own
    } finally {
      if (this.#conditionalWrites.get(place) === own) this.#conditionalWrites.delete(place)
    }
  }

  async #pass(operation, request, body, response) {
    if (body !== undefined) return send(request, response, await this.#answer(operation, request, body))
    const answer = await this.#moto.forward(request, request)
    response.writeHead(answer.statusCode, withoutHops(answer.headers))
    await pipeline(answer, response)
  }

  async #passSome({bodyBytes, cut}, request, response) {
    const answer = await this.#moto.forward(request, request)
    response.writeHead(answer.statusCode, withoutHops(answer.headers))
    const body = await readAll(answer)
    await new Promise((resolve) => response.write(body.subarray(0, bodyBytes), resolve))
    if (cut === true) request.socket.destroy()
    else await once(response, 'close')
  }

  async #takeEffect(operation, request, body) {
    if (body !== undefined) await this.#answer(operation, request, body)
    else await finished((await this.#moto.forward(request, request)).resume())
  }

  async #answer(operation, {method, url, headers}, body) {
    const [service, name] = operation.split('.')
    const request = {method, url, headers}
    if (service === 'RedshiftData') {
      if (this.#redshift !== undefined) return this.#redshift.answer(name, request, body)
      return errorAnswer(operation, headers, {
        type: 'UnknownOperationException',
        message: 'there is no Redshift here',
      })
    }
    const answer =
      service === 'Glue' ? await this.#glue.answer(name, request, body) : await this.#moto.call(request, body)
    return inJson(operation, headers, answer)
  }

  async #control(request) {
    const {pathname} = new URL(request.url, 'http://stand-in')
    switch (`${request.method} ${pathname.slice('/_stand-in/'.length)}`) {
      case 'GET health':
        return jsonAnswer(200, {})
      case 'GET calls':
        return jsonAnswer(200, this.#calls)
      case 'GET requests':
        return jsonAnswer(200, this.#requests)
      case 'GET statements':
        return jsonAnswer(200, this.#redshift?.statements ?? [])
      case 'POST faults':
        this.#faults.add(JSON.parse((await readAll(request)).toString()))
        return jsonAnswer(200, {})
      case 'DELETE faults':
        this.#faults.clear()
        return jsonAnswer(200, {})
      default:
        return jsonAnswer(404, {})
    }
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html */
function accessKeyOf({authorization = ''}) {
  return /Credential=([^/]+)\//.exec(authorization)?.[1] ?? ''
}

function catalogOf(operation, body) {
  return operation.startsWith('Glue.') ? {catalogId: JSON.parse(body.toString()).CatalogId} : {}
}

function dropConditions(headers) {
  delete headers['if-match']
  delete headers['if-none-match']
}

function inJson(operation, headers, answer) {
  if (headers['x-amz-target'] === undefined || answer.status !== 403) return answer
  const [, code, message] = /<Code>(\w+)<\/Code>\s*<Message>([^<]*)/.exec(answer.body.toString()) ?? []
  if (code === undefined) return answer
  return errorAnswer(operation, headers, {status: 400, type: refusals[code] ?? code, message})
}

function send(request, response, {status, headers, body}) {
  response.writeHead(status, {...withoutHops(headers), 'content-length': body.length})
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** What is said of one connection only. */
function withoutHops({connection: _connection, 'transfer-encoding': _encoding, ...headers}) {
  return headers
}
