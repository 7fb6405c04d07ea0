import type {Socket} from 'node:net'
import {
  BodyReader,
  bytes,
  defaultTimestampFlag,
  FrameReader,
  int,
  longString,
  opcodes,
  readParameters,
  response,
  short,
  string,
  withBody,
  type Frame,
  type QueryParameters,
} from './cql-frame.js'
import {hasWords, nameOf, parseStatement, writesIn, type CqlStatement} from './cql-statement.js'
import {answerOf} from './keyspaces-answers.js'
import type {KeyspacesRules} from './keyspaces-rules.js'
import {preparedId} from './result-body.js'
import {SigV4Verifier, type KnownCredentials} from './sigv4-verifier.js'
import type {WriteThrottle} from './write-throttle.js'

/** What all connections of a proxy share. */
export interface Gate {
  /** Without them nobody is asked to log in, and Cassandra speaks for itself. */
  readonly credentials?: KnownCredentials
  readonly rules?: KeyspacesRules
  readonly throttle: WriteThrottle
  /** By id. An id of Cassandra's is good on every connection. */
  readonly prepared: Map<string, CqlStatement>
}

const errors = {
  protocol: 0x000a,
  badCredentials: 0x0100,
  writeTimeout: 0x1100,
  invalid: 0x2200,
  unprepared: 0x2500,
} as const

/** Stands between one client and Cassandra. What it does not judge passes byte for byte. */
export class ProxiedConnection {
  readonly #client: Socket
  readonly #cassandra: Socket
  readonly #gate: Gate
  readonly #verifier: SigV4Verifier | undefined
  #login: 'before' | 'asked' | 'challenged' | 'done'
  #keyspace: string | undefined
  /** What to make of the answers that are awaited, by stream. */
  readonly #awaited = new Map<number, (answer: Frame) => Buffer>()

  constructor(client: Socket, cassandra: Socket, gate: Gate) {
    this.#client = client
    this.#cassandra = cassandra
    this.#gate = gate
    this.#verifier = gate.credentials === undefined ? undefined : new SigV4Verifier(gate.credentials)
    this.#login = gate.credentials === undefined ? 'done' : 'before'
    relay(client, cassandra, (frame) => this.#request(frame))
    relay(cassandra, client, (frame) => this.#answer(frame))
  }

  #answer(frame: Frame): void {
    const transform = this.#awaited.get(frame.stream)
    this.#awaited.delete(frame.stream)
    this.#client.write(transform === undefined ? frame.bytes : transform(frame))
  }

  #request(frame: Frame): void {
    if (frame.version !== 4) {
      // The driver reads these words, and comes back with the version.
      const reason = `Invalid or unsupported protocol version (${frame.version}); supported versions are (4/v4)`
      return this.#refuse(frame, errors.protocol, reason)
    }
    if ((frame.flags & 0x05) !== 0)
      return this.#refuse(frame, errors.protocol, 'Compression and custom payloads are not understood here')
    switch (frame.opcode) {
      case opcodes.options:
        return this.#pass(frame.bytes)
      case opcodes.startup:
        if (this.#verifier !== undefined) this.#awaited.set(frame.stream, (answer) => this.#askLogin(answer))
        return this.#pass(frame.bytes)
      case opcodes.authResponse:
        return this.#verifier === undefined ? this.#pass(frame.bytes) : this.#logIn(frame, this.#verifier)
      default:
        if (this.#login !== 'done') return this.#refuse(frame, errors.protocol, 'Log in first')
        return this.#work(frame)
    }
  }

  #work(frame: Frame): void {
    switch (frame.opcode) {
      case opcodes.query:
        return this.#query(frame)
      case opcodes.prepare:
        return this.#prepare(frame)
      case opcodes.execute:
        return this.#execute(frame)
      case opcodes.batch:
        return this.#batch(frame)
      default:
        return this.#pass(frame.bytes)
    }
  }

  #askLogin(answer: Frame): Buffer {
    if (answer.opcode !== opcodes.ready) return answer.bytes
    this.#login = 'asked'
    return response(
      answer.stream,
      opcodes.authenticate,
      string('com.amazon.helenus.auth.HelenusAuthenticator'),
    )
  }

  #logIn(frame: Frame, verifier: SigV4Verifier): void {
    const token = new BodyReader(frame.body).bytes()?.toString('latin1') ?? ''
    if (this.#login === 'asked') {
      if (token !== 'SigV4\0\0') return this.#refuse(frame, errors.badCredentials, 'Log in by SigV4')
      this.#login = 'challenged'
      this.#client.write(response(frame.stream, opcodes.authChallenge, bytes(verifier.challenge)))
      return
    }
    const problem = this.#login === 'challenged' ? verifier.problemWith(token) : 'Nobody was asked to log in'
    this.#login = problem === undefined ? 'done' : 'before'
    if (problem !== undefined) return this.#refuse(frame, errors.badCredentials, problem)
    this.#client.write(response(frame.stream, opcodes.authSuccess, bytes(undefined)))
  }

  #query(frame: Frame): void {
    const reader = new BodyReader(frame.body)
    const statement = this.#parse(reader.longString())
    const rest = frame.body.subarray(reader.at)
    const text = this.#review(frame, statement)
    if (text === undefined) return
    const head = longString(text)
    this.#run(text === statement.text ? frame : asRead(withBody(frame, head, rest)), statement, head.length)
  }

  #prepare(frame: Frame): void {
    const statement = this.#parse(new BodyReader(frame.body).longString())
    if (statement.kind === 'schema')
      return this.#refuse(frame, errors.invalid, 'Statements that change the schema are not prepared here')
    const text = this.#review(frame, statement)
    if (text === undefined) return
    this.#awaited.set(frame.stream, (answer) => {
      if (answer.opcode === opcodes.result) this.#gate.prepared.set(preparedId(answer), statement)
      return answer.bytes
    })
    this.#pass(text === statement.text ? frame.bytes : withBody(frame, longString(text)))
  }

  #execute(frame: Frame): void {
    const reader = new BodyReader(frame.body)
    const statement = this.#known(frame, reader.shortBytes())
    if (statement !== undefined) this.#run(frame, statement, reader.at)
  }

  #batch(frame: Frame): void {
    const reader = new BodyReader(frame.body)
    const isLogged = reader.byte() !== 1
    const parts: {readonly statement: CqlStatement; readonly values: readonly (Buffer | undefined)[]}[] = []
    for (let left = reader.short(); left > 0; left -= 1) {
      const isText = reader.byte() === 0
      const statement = isText ? this.#parse(reader.longString()) : this.#known(frame, reader.shortBytes())
      if (statement === undefined || (isText && this.#review(frame, statement) === undefined)) return
      parts.push({statement, values: Array.from({length: reader.short()}, () => reader.bytes())})
    }
    const parameters = readParameters(reader)
    const {rules} = this.#gate
    const statements = parts.map(({statement}) => statement)
    let problem = rules?.batchProblem(statements, isLogged)
    for (const {statement, values} of parts)
      problem ??= rules?.problemWith(statement, {...parameters, values})
    if (problem !== undefined) return this.#refuse(frame, errors.invalid, problem)
    if (!this.#gate.throttle.admit(parts.length)) return this.#throttled(frame, parameters, 'UNLOGGED_BATCH')
    this.#pass(this.#withOwnTimestamp(frame, statements, parameters))
  }

  /** What was prepared; undefined where that was before the proxy was there: the driver then prepares it again. */
  #known(frame: Frame, id: Buffer): CqlStatement | undefined {
    const statement = this.#gate.prepared.get(id.toString('hex'))
    if (statement === undefined)
      this.#refuse(frame, errors.unprepared, 'Unknown prepared statement', short(id.length), id)
    return statement
  }

  /** The statement with the keyspace that it is about. */
  #parse(text: string): CqlStatement {
    const statement = parseStatement(text)
    return statement.keyspace !== undefined || this.#keyspace === undefined
      ? statement
      : {...statement, keyspace: this.#keyspace}
  }

  /** The words for Cassandra; undefined where the client has its answer already. */
  #review(frame: Frame, statement: CqlStatement): string | undefined {
    const review = this.#gate.rules?.review(statement) ?? {outcome: 'passed', text: statement.text}
    switch (review.outcome) {
      case 'passed':
        return review.text
      case 'done':
        this.#client.write(response(frame.stream, opcodes.result, int(1)))
        return undefined
      case 'refused':
        this.#refuse(frame, errors.invalid, review.reason)
        return undefined
      default:
        return review satisfies never
    }
  }

  #run(frame: Frame, statement: CqlStatement, parametersAt: number): void {
    const parameters = readParameters(new BodyReader(frame.body, parametersAt))
    const problem = this.#gate.rules?.problemWith(statement, parameters)
    if (problem !== undefined) return this.#refuse(frame, errors.invalid, problem)
    const writes = writesIn(statement)
    if (writes > 0 && !this.#gate.throttle.admit(writes))
      return this.#throttled(frame, parameters, writeTypeOf(statement))
    if (statement.tokens[0]?.toUpperCase() === 'USE') this.#keyspace = nameOf(statement.tokens[1] ?? '')
    const transform = this.#gate.rules === undefined ? undefined : answerOf(statement, this.#gate.rules)
    if (transform !== undefined) this.#awaited.set(frame.stream, transform)
    this.#pass(this.#withOwnTimestamp(frame, [statement], parameters))
  }

  /** Tables that have not opted in take the server's time, whatever the client says. */
  #withOwnTimestamp(
    frame: Frame,
    statements: readonly CqlStatement[],
    {timestamp, flagsAt}: QueryParameters,
  ): Buffer {
    const {rules} = this.#gate
    if (rules === undefined || timestamp === undefined) return frame.bytes
    if (statements.every((one) => one.kind !== 'write' || rules.keepsTimestamps(one))) return frame.bytes
    const body = Buffer.from(frame.body.subarray(0, -8))
    body.writeUInt8(body.readUInt8(flagsAt) & ~defaultTimestampFlag, flagsAt)
    return withBody(frame, body)
  }

  /**
   * https://docs.aws.amazon.com/keyspaces/latest/devguide/troubleshooting.serverless.html: what exceeds the capacity is
   * not done, and looks like a write that no replica has acknowledged.
   */
  #throttled(frame: Frame, {consistency}: QueryParameters, writeType: string): void {
    const counts = [short(consistency), int(0), int(2), string(writeType)]
    this.#refuse(frame, errors.writeTimeout, 'Operation timed out - received only 0 responses.', ...counts)
  }

  #refuse({stream}: Frame, code: number, reason: string, ...more: readonly Buffer[]): void {
    this.#client.write(response(stream, opcodes.error, int(code), string(reason), ...more))
  }

  #pass(frame: Buffer): void {
    this.#cassandra.write(frame)
  }
}

/** https://cassandra.apache.org/doc/latest/cassandra/reference/native-protocol.html, section 9 */
function writeTypeOf(statement: CqlStatement): string {
  if (statement.kind === 'batch') return 'UNLOGGED_BATCH'
  return hasWords(statement, 'IF') ? 'CAS' : 'SIMPLE'
}

/** A frame of our own making, as if it had come from the client. */
function asRead(frame: Buffer): Frame {
  const [read] = new FrameReader().push(frame)
  if (read === undefined) throw new Error('a frame was cut')
  return read
}

/** Hands over frame by frame; slows the sender down where the receiver is slow, and ends with either. */
function relay(from: Socket, to: Socket, take: (frame: Frame) => void): void {
  const frames = new FrameReader()
  from.setNoDelay(true)
  from.on('data', (chunk: Buffer) => {
    to.cork()
    for (const frame of frames.push(chunk)) take(frame)
    to.uncork()
    if (!to.writableNeedDrain) return
    from.pause()
    to.once('drain', () => from.resume())
  })
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}
