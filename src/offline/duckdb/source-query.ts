/**
 * What the SQL of a source may be: one SELECT that gives the same rows whenever it runs. The engine's own parser reads
 * it: https://duckdb.org/docs/stable/data/json/sql_to_and_from_json
 */
import {FeatureStoreError} from '../../errors.js'
import {quoteText} from '../../compile/dialects/duckdb-names.js'
import type {DuckDbSession} from './duckdb-session.js'

type SyntaxNode = Readonly<Record<string, unknown>>

/** Words that the engine reads as functions when no column has their name. */
const clockWords: ReadonlySet<string> = new Set([
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
])

/** Not consistent in the engine's catalog, and yet without harm: it has no value, it only fails. */
const harmless: ReadonlySet<string> = new Set(['error'])

/** The parsed statement. Throws FS_SOURCE_UNREADABLE for what is not one SELECT. */
export async function parseSelect(session: DuckDbSession, sql: string, what: string): Promise<SyntaxNode> {
  const [[text] = []] = await session.rows(`SELECT json_serialize_sql(${quoteText(sql)})::VARCHAR`)
  const parsed = JSON.parse(text as string) as {
    readonly error: boolean
    readonly error_type?: string
    readonly error_message?: string
    readonly statements?: readonly SyntaxNode[]
  }
  if (parsed.error) {
    const isOther = parsed.error_type === 'not implemented'
    throw notOneSelect(
      what,
      isOther ? 'it is no SELECT' : (parsed.error_message ?? 'it is no SQL').replace(/\.$/, ''),
    )
  }
  if (parsed.statements?.length !== 1) throw notOneSelect(what, 'it has more than one statement, or none')
  return parsed
}

/** Throws FS_SOURCE_NOT_REPRODUCIBLE, with line and column in the SQL, for what gives another answer another time. */
export async function checkReproducible(
  session: DuckDbSession,
  statement: SyntaxNode,
  sql: string,
  what: string,
): Promise<void> {
  const volatile = await volatileFunctions(session)
  visit(statement, (node) => {
    const named = functionOf(node)
    const found =
      named !== undefined && volatile.has(named)
        ? `\`${named}()\``
        : (clockWordOf(node) ??
          (isUnseededSample(node) ? 'a sample without a seed (`REPEATABLE`)' : undefined))
    if (found === undefined) return
    throw new FeatureStoreError(
      'FS_SOURCE_NOT_REPRODUCIBLE',
      `${what} uses ${found}${placeIn(sql, node)}, which gives another answer every time. Expected SQL that gives the same rows whenever it runs.`,
      {
        hint: "Leave the time out of the SQL: a view's `ttl`, and START and END of a load, choose rows by time.",
      },
    )
  })
}

/** The statement with every table that no WITH defines looked up in `catalog`. */
export async function qualifyTables(
  session: DuckDbSession,
  statement: SyntaxNode,
  catalog: string,
): Promise<string> {
  const defined = namesOfWith(statement)
  const qualified = mapNodes(statement, (node) =>
    node['type'] === 'BASE_TABLE' &&
    node['catalog_name'] === '' &&
    !(node['schema_name'] === '' && defined.has(String(node['table_name']).toLowerCase()))
      ? {...node, catalog_name: catalog}
      : node,
  )
  const [[sql] = []] = await session.rows(
    `SELECT json_deserialize_sql(${quoteText(JSON.stringify(qualified))}::JSON)`,
  )
  return sql as string
}

/** Table functions that read nothing. */
const pureTableFunctions: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest', 'repeat'])

/**
 * Whether the statement reads what nobody else knows of: by a table function, or a table that neither WITH nor `tables`
 * names, which is a file. `tables`: in lower case; undefined where all tables are known.
 */
export function readsMore(statement: SyntaxNode, tables: ReadonlySet<string> | undefined): boolean {
  const defined = namesOfWith(statement)
  let found = false
  visit(statement, (node) => {
    if (node['type'] === 'TABLE_FUNCTION') {
      const name = functionOf((node['function'] ?? {}) as SyntaxNode) ?? ''
      if (!pureTableFunctions.has(name)) found = true
    } else if (node['type'] === 'BASE_TABLE' && tables !== undefined) {
      const name = String(node['table_name']).toLowerCase()
      if (!tables.has(name) && !defined.has(name)) found = true
    }
  })
  return found
}

/** Names that WITH gives, anywhere in the statement, in lower case. */
function namesOfWith(statement: SyntaxNode): ReadonlySet<string> {
  const defined = new Set<string>()
  visit(statement, (node) => {
    const {map} = (node['cte_map'] ?? {}) as {readonly map?: readonly {readonly key: string}[]}
    for (const {key} of map ?? []) defined.add(key.toLowerCase())
  })
  return defined
}

async function volatileFunctions(session: DuckDbSession): Promise<ReadonlySet<string>> {
  const rows = await session.rows(
    `SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE stability <> 'CONSISTENT'`,
  )
  return new Set(rows.map(([name]) => name as string).filter((name) => !harmless.has(name)))
}

function functionOf(node: SyntaxNode): string | undefined {
  const name = node['function_name']
  return typeof name === 'string' && name !== '' ? name.toLowerCase() : undefined
}

function clockWordOf(node: SyntaxNode): string | undefined {
  const names = node['class'] === 'COLUMN_REF' ? (node['column_names'] as readonly string[]) : []
  const [name] = names
  return names.length === 1 && name !== undefined && clockWords.has(name.toLowerCase())
    ? `\`${name}\``
    : undefined
}

function isUnseededSample(node: SyntaxNode): boolean {
  const sample = node['sample'] as {readonly seed?: number} | null | undefined
  return typeof sample === 'object' && sample !== null && (sample.seed ?? -1) < 0
}

function placeIn(sql: string, node: SyntaxNode): string {
  const location = node['query_location']
  // Without one the parser gives the largest number of 64 bits.
  if (typeof location !== 'number' || location > sql.length) return ''
  const before = Buffer.from(sql).subarray(0, location).toString()
  const line = before.split('\n').length
  return ` at line ${line}, column ${before.length - before.lastIndexOf('\n')} of its SQL`
}

function visit(value: unknown, found: (node: SyntaxNode) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) found(value as SyntaxNode)
  for (const inner of Object.values(value)) visit(inner, found)
}

function mapNodes(value: unknown, change: (node: SyntaxNode) => SyntaxNode): unknown {
  if (Array.isArray(value)) return value.map((one) => mapNodes(one, change))
  if (typeof value !== 'object' || value === null) return value
  return change(
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapNodes(inner, change)])),
  )
}

function notOneSelect(what: string, reason: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `${what} can't be read: ${reason}. Expected one SELECT.`,
    {
      hint: "Correct the SQL; it is in DuckDB's dialect.",
    },
  )
}
