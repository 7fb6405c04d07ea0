import {setTimeout as sleep} from 'node:timers/promises'
import {errorAnswer, jsonAnswer} from '../aws/error-answer.mjs'
import {Engine, engineMessage} from './engine.mjs'
import {S3Place} from './s3-place.mjs'
import {Sessions} from './sessions.mjs'
import {Statement} from './statement.mjs'
import {meaningful, tokens} from './tokens.mjs'
import {
  activeStatements,
  invalid,
  notFound,
  ServiceError,
  validateExecution,
  validateParameters,
  validateWait,
} from './validation.mjs'

/**
 * The Redshift Data API at the wire (https://docs.aws.amazon.com/redshift-data/latest/APIReference/), its SQL carried out by a
 * PostgreSQL. A statement fails on demand, too: a fault whose operation is `Redshift.Statement` and whose path is a part of
 * the SQL delays it, or lets it fail with its message, before or after it takes effect.
 */
export class RedshiftData {
  /** All that was submitted, in that order. @type {string[]} */
  statements = []
  #engine
  #faults
  #all = new Map()
  #answers = new Map()
  #sessions = new Sessions()

  /**
   * @param {object} parts
   * @param {string} parts.postgresUrl
   * @param {string} parts.awsUrl Where S3 and Glue are.
   * @param {string} parts.exchangeFolder Where PostgreSQL's user gets, and rows pass through.
   * @param {import('../aws/fault-rules.mjs').FaultRules} parts.faults
   */
  constructor({postgresUrl, awsUrl, exchangeFolder, faults}) {
    this.#engine = new Engine(postgresUrl, new S3Place(awsUrl), awsUrl, exchangeFolder)
    this.#faults = faults
  }

  /** Makes the database that tests use. */
  prepare(database) {
    return this.#engine
      .ensureDatabase(database)
      .then(() => this.#engine.connect(database))
      .then((client) => client.end())
  }

  /**
   * @param {string} operation `ExecuteStatement`
   * @param {{headers: import('node:http').IncomingHttpHeaders}} request
   * @param {Buffer} body
   * @returns {Promise<import('../aws/error-answer.mjs').Answer>}
   */
  async answer(operation, {headers}, body) {
    try {
      const asked = JSON.parse(body.toString() || '{}')
      const operations = {
        ExecuteStatement: () => this.#once(asked, () => this.#execute(asked, [asked.Sql], false)),
        BatchExecuteStatement: () => this.#once(asked, () => this.#execute(asked, asked.Sqls ?? [], true)),
        DescribeStatement: () => this.#describe(asked),
        GetStatementResult: () => this.#result(asked),
        CancelStatement: () => this.#cancel(asked),
        ListStatements: () => this.#list(asked),
      }
      const carryOut = operations[operation]
      if (carryOut === undefined)
        throw new ServiceError('UnknownOperationException', `${operation} is not known here`)
      const answer = await carryOut()
      return typeof answer === 'string'
        ? {...jsonAnswer(200, {}), body: Buffer.from(answer)}
        : jsonAnswer(200, answer)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return errorAnswer(`RedshiftData.${operation}`, headers, error)
    }
  }

  /** The same token is the same request: nothing runs again. */
  #once({ClientToken}, work) {
    if (ClientToken === undefined) return work()
    const known = this.#answers.get(ClientToken)
    if (known !== undefined) return known
    const answer = work()
    this.#answers.set(ClientToken, answer)
    // What was refused did not happen.
    answer.catch(() => this.#answers.delete(ClientToken))
    return answer
  }

  async #execute(asked, sqls, isBatch) {
    validateExecution(asked, sqls)
    const parameters = asked.Parameters ?? []
    validateParameters(parameters, parameterNames(sqls))
    if ([...this.#all.values()].filter(({isOver}) => !isOver).length >= activeStatements)
      throw new ServiceError(
        'ActiveStatementsExceededException',
        `more than ${activeStatements} statements are active`,
      )
    const session = this.#sessionOf(asked)
    const {Database, WorkgroupName, ClusterIdentifier, SecretArn, DbUser} = asked
    const origin = session?.origin ?? defined({Database, WorkgroupName, ClusterIdentifier, SecretArn, DbUser})
    const common = {parameters, origin, name: asked.StatementName, format: asked.ResultFormat}
    const statement = new Statement({...common, sql: isBatch ? undefined : asked.Sql})
    if (isBatch)
      statement.parts = sqls.map(
        (sql, index) => new Statement({...common, sql, id: `${statement.id}:${index + 1}`}),
      )
    this.#all.set(statement.id, statement)
    this.statements.push(...sqls)
    session?.begin()
    void this.#carryOut(statement, session, asked.ExecutionMode === 'AUTO_COMMIT').finally(() =>
      session?.end(),
    )
    if (asked.WaitTimeSeconds !== undefined) await waitFor(statement, asked.WaitTimeSeconds)
    const waited =
      asked.WaitTimeSeconds === undefined
        ? {}
        : {Status: statement.status, HasResultSet: statement.hasResultSet, RedshiftPid: statement.pid}
    return {Id: statement.id, CreatedAt: statement.createdAt, ...origin, ...waited}
  }

  /** The session that is named, or a new one where one is asked for. */
  #sessionOf({
    SessionId,
    SessionKeepAliveSeconds,
    Database,
    WorkgroupName,
    ClusterIdentifier,
    SecretArn,
    DbUser,
  }) {
    if (SessionId === undefined) {
      if (SessionKeepAliveSeconds === undefined) return undefined
      const origin = defined({Database, WorkgroupName, ClusterIdentifier, SecretArn, DbUser})
      return this.#sessions.create(origin, SessionKeepAliveSeconds)
    }
    const session = this.#sessions.get(SessionId)
    if (session === undefined) throw invalid(`Session ${SessionId} does not exist or has ended`)
    if (session.isBusy) throw invalid(`Session ${SessionId} is busy with another statement`)
    if (SessionKeepAliveSeconds !== undefined) session.keepAliveSeconds = SessionKeepAliveSeconds
    return session
  }

  async #carryOut(statement, session, isAutoCommit) {
    // Submitted is what the one who asks sees first.
    await sleep(1)
    statement.become('PICKED')
    let client
    try {
      const connect = (database) => this.#engine.connect(database)
      client =
        session === undefined ? await connect(statement.origin.Database) : await session.client(connect)
      statement.pid = client.processID
      await this.#run(statement, client, isAutoCommit)
    } catch (error) {
      statement.fail(error.code === '3D000' ? `FATAL: ${error.message}` : engineMessage(error))
    } finally {
      if (session === undefined) await client?.end().catch(() => undefined)
    }
  }

  async #run(statement, client, isAutoCommit) {
    if (statement.isCancelled) return abort(statement)
    statement.become('STARTED')
    const parts = statement.parts.length > 0 ? statement.parts : [statement]
    const isTransaction = statement.parts.length > 0 && !isAutoCommit
    if (isTransaction) await client.query('BEGIN')
    for (const [index, part] of parts.entries()) {
      if (part !== statement) part.become('STARTED')
      try {
        // It may have come after the part before had ended.
        if (statement.isCancelled) throw new Error('cancelled')
        part.result = await this.#runOne(statement, part, client)
        if (part !== statement) part.become('FINISHED')
      } catch (error) {
        if (isTransaction) await client.query('ROLLBACK').catch(() => undefined)
        if (statement.isCancelled) return abort(statement)
        const message = engineMessage(error)
        if (part !== statement) part.fail(message)
        statement.parts.forEach((left) => left.become('ABORTED'))
        return statement.fail(part === statement ? message : `Query #${index + 1} failed with ${message}`)
      }
    }
    if (isTransaction) await client.query('COMMIT')
    statement.become('FINISHED')
  }

  async #runOne(statement, part, client) {
    try {
      return await this.#runWhole(statement, part, client)
    } finally {
      statement.interrupt = undefined
      // What comes next in this session is not what was to be interrupted.
      await statement.interrupting
    }
  }

  async #runWhole(statement, {sql, parameters}, client) {
    const fault = this.#faults.take('Redshift.Statement', sql)
    let duckDb
    statement.interrupt = async () => {
      duckDb?.interrupt()
      await this.#engine.cancel(client.processID)
    }
    if (fault?.delayMillis !== undefined)
      await client.query('SELECT pg_sleep($1::double precision / 1000)', [fault.delayMillis])
    const failure = fault?.message ?? fault?.type
    if (failure !== undefined && fault.after !== true) throw new Error(failure)
    const values = new Map(parameters.map(({name, value}) => [name, value]))
    const result = await this.#engine.run(client, sql, values, (connection) => (duckDb = connection))
    if (failure !== undefined) throw new Error(failure)
    return result
  }

  async #describe({Id, WaitTimeSeconds}) {
    validateWait(WaitTimeSeconds)
    const statement = this.#find(Id)
    if (WaitTimeSeconds !== undefined) await waitFor(statement, WaitTimeSeconds)
    return statement.describe()
  }

  async #result({Id, NextToken}) {
    const statement = this.#find(Id)
    if (statement.parts.length > 0)
      throw invalid('BatchExecuteStatement result can only be retrieved with sub-statement id.')
    if (statement.status !== 'FINISHED')
      throw new ServiceError(
        'ResourceNotFoundException',
        `Query is not finished, its state is ${statement.status}.`,
        {
          ...{status: 404, members: {ResourceId: Id}},
        },
      )
    if (!statement.hasResultSet)
      throw new ServiceError(
        'ResourceNotFoundException',
        'Query does not have result. Please check query status with DescribeStatement.',
        {
          ...{status: 404, members: {ResourceId: Id}},
        },
      )
    if (statement.format !== 'JSON')
      throw invalid('a result in CSV is given by GetStatementResultV2, which is not here')
    const first = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64').toString())
    if (!Number.isInteger(first)) throw invalid('NextToken is not valid')
    return statement.page(first)
  }

  async #cancel({Id}) {
    const statement = this.#find(Id)
    if (statement.isOver)
      throw invalid(`Could not cancel a query that is already in ${statement.status} state with ID: ${Id}`)
    if (statement.isCancelled) return {Status: true}
    statement.isCancelled = true
    void interruptUntilOver(statement)
    return {Status: true}
  }

  async #list({Status, StatementName, MaxResults = 100, NextToken}) {
    if (MaxResults < 1 || MaxResults > 100) throw invalid('MaxResults must be between 1 and 100')
    const found = [...this.#all.values()]
      .reverse()
      .filter(({status}) => Status === undefined || Status === 'ALL' || status === Status)
      .filter(({name}) => StatementName === undefined || name?.startsWith(StatementName))
    const first = NextToken === undefined ? 0 : Number(NextToken)
    const end = first + MaxResults
    return {
      Statements: found.slice(first, end).map((statement) => statement.entry()),
      ...(end < found.length ? {NextToken: String(end)} : {}),
    }
  }

  #find(id) {
    if (!/^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?$/.test(id ?? '')) throw invalid('Id is not valid')
    const [whole, part] = id.split(':')
    const statement = this.#all.get(whole)
    const found = part === undefined ? statement : statement?.parts[Number(part) - 1]
    if (found === undefined) throw notFound(id)
    return found
  }
}

function abort(statement) {
  statement.parts.forEach((part) => part.become('ABORTED'))
  statement.become('ABORTED')
}

/** An interrupt that comes between two pieces of work, or before the first, meets nothing. */
async function interruptUntilOver(statement) {
  for (; !statement.isOver; await sleep(20)) {
    statement.interrupting = statement.interrupt?.().catch(() => undefined)
    await statement.interrupting
  }
}

function waitFor(statement, seconds) {
  return Promise.race([statement.ended, sleep(seconds * 1000, undefined, {ref: false})])
}

function parameterNames(sqls) {
  const all = sqls.flatMap((sql) => meaningful(tokens(sql)))
  return [...new Set(all.filter(({kind}) => kind === 'parameter').map(({text}) => text.slice(1)))]
}

function defined(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
