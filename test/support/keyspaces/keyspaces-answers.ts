import {opcodes, withBody, type Frame} from './cql-frame.js'
import type {CqlStatement} from './cql-statement.js'
import type {KeyspacesRules} from './keyspaces-rules.js'
import {mapRows, resultKind} from './result-body.js'

/** What Keyspaces makes of Cassandra's answer to the statement; undefined where it is the same. */
export function answerOf(
  statement: CqlStatement,
  rules: KeyspacesRules,
): ((answer: Frame) => Buffer) | undefined {
  const {keyspace, table, kind} = statement
  if (kind === 'schema') return table === undefined ? undefined : onSchemaChange(statement, rules)
  if (kind !== 'read') return undefined
  switch (`${keyspace ?? ''}.${table ?? ''}`) {
    case 'system.local':
      return onRows((row) => withValue(row, 'data_center', rules.region))
    case 'system.peers':
    case 'system.peers_v2':
      // Clients know of the proxy only, or they would go around it.
      return onRows(() => undefined)
    case 'system_schema_mcs.tables':
      return onRows((row) => withValue(row, 'status', rules.statusOf(tableOf(row))))
    default:
      return undefined
  }
}

type Row = ReadonlyMap<string, Buffer | undefined>

function onRows(change: (row: Row) => Row | undefined): (answer: Frame) => Buffer {
  return (answer) => (isResult(answer, 'rows') ? withBody(answer, mapRows(answer, change)) : answer.bytes)
}

function onSchemaChange(statement: CqlStatement, rules: KeyspacesRules): (answer: Frame) => Buffer {
  const verb = statement.tokens[0]?.toUpperCase()
  return (answer) => {
    // Where the table was there already, or not, nothing has changed.
    if (isResult(answer, 'schemaChange') && verb === 'CREATE') rules.created(statement)
    if (isResult(answer, 'schemaChange') && verb === 'DROP') rules.dropped(statement)
    return answer.bytes
  }
}

function isResult(answer: Frame, kind: ReturnType<typeof resultKind>): boolean {
  return answer.opcode === opcodes.result && resultKind(answer) === kind
}

function tableOf(row: Row): {readonly keyspace: string; readonly table: string} {
  const text = (column: string): string => row.get(column)?.toString() ?? ''
  return {keyspace: text('keyspace_name'), table: text('table_name')}
}

function withValue(row: Row, column: string, value: string): Row {
  return row.has(column) ? new Map([...row, [column, Buffer.from(value)]]) : row
}
