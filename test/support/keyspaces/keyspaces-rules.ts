import type {QueryParameters} from './cql-frame.js'
import {hasWords, indexOfWords, type CqlStatement} from './cql-statement.js'

/** What becomes of a statement before it may run. */
export type Review =
  | {readonly outcome: 'refused'; readonly reason: string}
  /** There is nothing for Cassandra to do. */
  | {readonly outcome: 'done'}
  /** It goes to Cassandra, in the words that Cassandra knows. */
  | {readonly outcome: 'passed'; readonly text: string}

interface Table {
  readonly createdAt: number
  readonly hasTimestamps: boolean
  readonly hasTtl: boolean
}

const consistencies = [
  'ANY',
  'ONE',
  'TWO',
  'THREE',
  'QUORUM',
  'ALL',
  'LOCAL_QUORUM',
  'EACH_QUORUM',
  'SERIAL',
  'LOCAL_SERIAL',
  'LOCAL_ONE',
]
const twoDaysMicros = 2n * 86_400_000_000n
const fiveMinutesMicros = 300_000_000n

/**
 * What Amazon Keyspaces does other than Cassandra, as its guide tells:
 * https://docs.aws.amazon.com/keyspaces/latest/devguide/functional-differences.html
 *
 * Where the guide leaves room, or has changed, the stricter reading holds: logged batches, which some regions have by
 * now, are refused. It knows the tables that were created through it; others are active and have opted in to nothing.
 * Keyspaces and tables come and go at once but for the status of new tables. The texts of errors are its own.
 */
export class KeyspacesRules {
  readonly region: string
  readonly #tableCreationMillis: number
  readonly #tables = new Map<string, Table>()

  constructor(options: {readonly region: string; readonly tableCreationMillis: number}) {
    this.region = options.region
    this.#tableCreationMillis = options.tableCreationMillis
  }

  /** Of a statement as it is written, before its values are known. */
  review(statement: CqlStatement): Review {
    const {kind, text, tokens} = statement
    switch (kind) {
      case 'read':
        return this.#reviewRead(statement)
      case 'write':
        return this.#reviewWrite(statement)
      case 'schema':
        return this.#reviewSchema(statement)
      case 'batch':
        return refused('Batches as text are not understood here: send a BATCH message')
      case 'other':
        return tokens[0]?.toUpperCase() === 'USE'
          ? passed(text)
          : refused(`${tokens[0] ?? ''} is not supported`)
      default:
        return kind satisfies never
    }
  }

  /** Why a statement may not run with these values; undefined where it may. */
  problemWith(statement: CqlStatement, parameters: QueryParameters): string | undefined {
    if (this.statusOf(statement) === 'CREATING') return `unconfigured table ${statement.table ?? ''}`
    return consistencyProblem(statement, parameters) ?? this.#timestampProblem(statement, parameters)
  }

  /** Of statements that go together: their number, their kind, and what no batch may hold. */
  batchProblem(statements: readonly CqlStatement[], isLogged: boolean): string | undefined {
    if (isLogged) return 'Logged batches are not supported'
    if (statements.length > 30) return 'Batch has too many statements: 30 at most'
    if (statements.some((one) => one.kind !== 'write' || hasWords(one, 'IF')))
      return 'Only unconditional INSERT, UPDATE, or DELETE commands are permitted in a batch'
    return undefined
  }

  /** Whether the write time that the client sends by itself counts: only on tables that have opted in. */
  keepsTimestamps(statement: CqlStatement): boolean {
    return this.#tables.get(keyOf(statement))?.hasTimestamps === true
  }

  created(statement: CqlStatement): void {
    this.#tables.set(keyOf(statement), {
      createdAt: performance.now(),
      hasTimestamps: optsIn(statement, 'client_side_timestamps'),
      hasTtl: optsIn(statement, 'ttl') || hasDefaultTtl(statement),
    })
  }

  dropped(statement: CqlStatement): void {
    this.#tables.delete(keyOf(statement))
  }

  statusOf(table: {readonly keyspace?: string; readonly table?: string}): 'CREATING' | 'ACTIVE' {
    const createdAt = this.#tables.get(keyOf(table))?.createdAt ?? -Infinity
    return performance.now() - createdAt < this.#tableCreationMillis ? 'CREATING' : 'ACTIVE'
  }

  /** https://docs.aws.amazon.com/keyspaces/latest/devguide/tables-create.html */
  #reviewRead(statement: CqlStatement): Review {
    const {keyspace, table, text, tokens} = statement
    const values = tokens.slice(indexOfWords(tokens, ['IN', '(']) + 2)
    if (
      hasWords(statement, 'IN', '(') &&
      values.slice(0, values.indexOf(')')).filter((one) => one !== ',').length > 100
    )
      return refused('IN takes 100 values at most')
    if (keyspace !== 'system_schema_mcs') return passed(text)
    const selected = tokens.slice(0, indexOfWords(tokens, ['FROM']))
    const asksStatus = table === 'tables' && (selected.includes('status') || selected.includes('*'))
    if (asksStatus && !['keyspace_name', 'table_name', 'status'].every((column) => selected.includes(column)))
      return refused('The status is told here only along with keyspace_name and table_name')
    // Cassandra has neither the keyspace nor the column. The proxy writes the status over the comment.
    const words = tokens.map((one) => (one === 'system_schema_mcs' ? 'system_schema' : one))
    if (asksStatus) words[words.indexOf('status')] = 'comment AS status'
    return passed(words.join(' '))
  }

  #reviewWrite(statement: CqlStatement): Review {
    const table = this.#tables.get(keyOf(statement))
    if (usingOption(statement, 'TIMESTAMP') !== undefined && table?.hasTimestamps !== true)
      return refused('USING TIMESTAMP needs a table with client_side_timestamps enabled')
    if (usingOption(statement, 'TTL') !== undefined && table?.hasTtl !== true)
      return refused('USING TTL needs a table with ttl enabled')
    if (hasWords(statement, 'IN')) return refused('IN is not supported with UPDATE and DELETE')
    return passed(statement.text)
  }

  /** https://docs.aws.amazon.com/keyspaces/latest/devguide/cassandra-apis.html */
  #reviewSchema(statement: CqlStatement): Review {
    const {text, tokens} = statement
    const [verb = '', object = ''] = tokens.map((one) => one.toUpperCase())
    if (verb === 'TRUNCATE') return refused('TRUNCATE is not supported')
    if (object === 'KEYSPACE') return reviewKeyspace(statement)
    if (object !== 'TABLE') return refused(`${verb} ${object} is not supported`)
    if (verb === 'ALTER') return this.#reviewAlterTable(statement)
    return passed(verb === 'CREATE' ? withoutCustomProperties(tokens) : text)
  }

  /** Columns may be added and settings changed, one at a time; nothing else. */
  #reviewAlterTable(statement: CqlStatement): Review {
    const {text, tokens} = statement
    if (indexOfWords(tokens.slice(1), ['ALTER']) >= 0) return refused('Types of columns can not be altered')
    if (!hasWords(statement, 'ADD') && !hasWords(statement, 'WITH'))
      return refused('ALTER TABLE takes only ADD and WITH')
    if (!hasWords(statement, 'CUSTOM_PROPERTIES')) return passed(text)
    if (
      hasWords(statement, 'ADD') ||
      tokens.at(-1) !== '}' ||
      !hasWords(statement, 'WITH', 'CUSTOM_PROPERTIES')
    )
      return refused('ALTER TABLE changes one setting at a time')
    const key = keyOf(statement)
    const {createdAt = -Infinity, hasTimestamps = false, hasTtl = false} = this.#tables.get(key) ?? {}
    // Neither can be taken back.
    this.#tables.set(key, {
      createdAt,
      hasTimestamps: hasTimestamps || optsIn(statement, 'client_side_timestamps'),
      hasTtl: hasTtl || optsIn(statement, 'ttl'),
    })
    return {outcome: 'done'}
  }

  /** https://docs.aws.amazon.com/keyspaces/latest/devguide/client-side-timestamps-how-to-queries.html */
  #timestampProblem(statement: CqlStatement, {values, timestamp}: QueryParameters): string | undefined {
    if (statement.kind !== 'write' || !this.keepsTimestamps(statement)) return undefined
    const written = usingOption(statement, 'TIMESTAMP')
    const micros = written === undefined ? timestamp : microsOf(written, statement, values)
    if (micros === undefined) return undefined
    const ahead = micros - BigInt(Date.now()) * 1000n
    return ahead < -twoDaysMicros || ahead > fiveMinutesMicros
      ? `Timestamp ${micros} is older than 2 days or more than 5 minutes ahead`
      : undefined
  }
}

/** https://docs.aws.amazon.com/keyspaces/latest/devguide/consistency.html */
function consistencyProblem({kind}: CqlStatement, {consistency}: QueryParameters): string | undefined {
  if (kind !== 'read' && kind !== 'write') return undefined
  const supported = kind === 'write' ? ['LOCAL_QUORUM'] : ['ONE', 'LOCAL_ONE', 'LOCAL_QUORUM']
  const name = consistencies[consistency] ?? String(consistency)
  return supported.includes(name)
    ? undefined
    : `Consistency level ${name} is not supported for this operation. Supported consistency levels are: ${supported.join(', ')}`
}

/** Cassandra has no class of that name; one copy is what a test needs. */
function reviewKeyspace({text, tokens}: CqlStatement): Review {
  if (!/^(CREATE|ALTER)$/i.test(tokens[0] ?? '')) return passed(text)
  if (!tokens.includes("'SingleRegionStrategy'"))
    return refused('The replication class is SingleRegionStrategy')
  return passed(
    text.replace(
      /replication\s*=\s*\{[^}]*\}/i,
      "replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    ),
  )
}

/** Takes `CUSTOM_PROPERTIES = {…}` out, along with the word that joins it to the rest. */
function withoutCustomProperties(tokens: readonly string[]): string {
  const start = indexOfWords(tokens, ['CUSTOM_PROPERTIES'])
  if (start < 0) return tokens.join(' ')
  let end = start + 2
  let depth = 0
  do depth += tokens[end] === '{' ? 1 : tokens[end] === '}' ? -1 : 0
  while (++end < tokens.length && depth > 0)
  const isLast = tokens[end]?.toUpperCase() !== 'AND'
  const before = tokens.slice(0, isLast ? start - 1 : start)
  return [...before, ...tokens.slice(isLast ? end : end + 1)].join(' ')
}

function optsIn({tokens}: CqlStatement, property: 'client_side_timestamps' | 'ttl'): boolean {
  const start = indexOfWords(tokens, ['CUSTOM_PROPERTIES'])
  return (
    start >= 0 && tokens.slice(start).join('').toLowerCase().includes(`'${property}':{'status':'enabled'}`)
  )
}

function hasDefaultTtl({tokens}: CqlStatement): boolean {
  const start = indexOfWords(tokens, ['DEFAULT_TIME_TO_LIVE', '='])
  return start >= 0 && Number(tokens[start + 2]) > 0
}

/** Where the value of `USING … AND …` stands in the tokens. */
function usingOption({tokens}: CqlStatement, option: 'TTL' | 'TIMESTAMP'): number | undefined {
  let at = indexOfWords(tokens, ['USING'])
  while (at >= 0) {
    if (tokens[at + 1]?.toUpperCase() === option) return at + 2
    // A named marker is two tokens.
    at += tokens[at + 2] === ':' ? 4 : 3
    if (tokens[at]?.toUpperCase() !== 'AND') return undefined
  }
  return undefined
}

function microsOf(
  at: number,
  {tokens}: CqlStatement,
  values: readonly (Buffer | undefined)[],
): bigint | undefined {
  if (tokens[at] !== '?') return BigInt(tokens[at] ?? 0)
  return values[tokens.slice(0, at).filter((one) => one === '?').length]?.readBigInt64BE()
}

function keyOf({keyspace = '', table = ''}: {readonly keyspace?: string; readonly table?: string}): string {
  return JSON.stringify([keyspace, table])
}

function refused(reason: string): Review {
  return {outcome: 'refused', reason}
}

function passed(text: string): Review {
  return {outcome: 'passed', text}
}
