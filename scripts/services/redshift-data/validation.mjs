/** What the Data API refuses before anything runs. https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html */

/** Of one SQL text. */
const statementBytes = 100 * 1024
const waitSeconds = 30
const keepAliveSeconds = 86_400
/** Of statements that have not ended. */
export const activeStatements = 200
/** Of a batch. */
const batchStatements = 40

/** An error that the service answers with. */
export class ServiceError extends Error {
  /**
   * @param {string} type
   * @param {string} message
   * @param {{status?: number, members?: Record<string, unknown>}} [more]
   */
  constructor(type, message, {status = 400, members} = {}) {
    super(message)
    this.type = type
    this.status = status
    this.members = members
  }
}

export function invalid(message) {
  return new ServiceError('ValidationException', message)
}

export function notFound(id) {
  return new ServiceError('ResourceNotFoundException', 'Query does not exist.', {
    status: 404,
    members: {ResourceId: id},
  })
}

/** @param {Record<string, unknown>} asked Of ExecuteStatement and BatchExecuteStatement. */
export function validateExecution(asked, sqls) {
  if (sqls.length === 0 || sqls.length > batchStatements)
    throw invalid(`Sqls must hold 1 to ${batchStatements} statements`)
  for (const sql of sqls) {
    if (typeof sql !== 'string' || sql.trim() === '') throw invalid('Sql must not be empty')
    if (Buffer.byteLength(sql) > statementBytes)
      throw invalid('Cannot process query string larger than 100kB')
  }
  validateOrigin(asked)
  validateWait(asked.WaitTimeSeconds)
  const keep = asked.SessionKeepAliveSeconds
  if (keep !== undefined && (!Number.isInteger(keep) || keep < 0 || keep > keepAliveSeconds))
    throw invalid(`SessionKeepAliveSeconds must be between 0 and ${keepAliveSeconds}`)
  for (const {name, value} of asked.Parameters ?? []) {
    if (typeof name !== 'string' || typeof value !== 'string')
      throw invalid('Parameters need a name and a value')
    if (value === '') throw invalid(`Parameter value of ${name} must not be empty`)
  }
}

function validateOrigin({WorkgroupName, ClusterIdentifier, SecretArn, DbUser, SessionId, Database}) {
  if (SessionId !== undefined) {
    if (
      [WorkgroupName, ClusterIdentifier, SecretArn, DbUser, Database].some((member) => member !== undefined)
    )
      throw invalid('SessionId can not be given together with a database, workgroup, cluster, secret or user')
    return
  }
  if (WorkgroupName !== undefined && ClusterIdentifier !== undefined)
    throw invalid('WorkgroupName and ClusterIdentifier can not be given together')
  if (WorkgroupName === undefined && ClusterIdentifier === undefined && SecretArn === undefined)
    throw invalid('One of WorkgroupName, ClusterIdentifier, SecretArn and SessionId is needed')
  if (WorkgroupName !== undefined && DbUser !== undefined) throw invalid('DbUser is not for a workgroup')
  if (Database === undefined) throw invalid('Database is needed')
}

export function validateWait(seconds) {
  if (seconds !== undefined && (!Number.isInteger(seconds) || seconds < 0 || seconds > waitSeconds))
    throw invalid(`WaitTimeSeconds must be between 0 and ${waitSeconds}`)
}

/** @param {readonly string[]} used By the statements. */
export function validateParameters(parameters, used) {
  const given = parameters.map(({name}) => name)
  const unused = given.filter((name) => !used.includes(name))
  if (unused.length > 0)
    throw invalid(`Parameters list contains unused parameters. Unused parameters: [${unused.join(', ')}]`)
  const missing = used.filter((name) => !given.includes(name))
  if (missing.length > 0)
    throw invalid(`Parameters list lacks parameters of the statement: [${missing.join(', ')}]`)
}
