import {duckDb} from '../../compile/dialects/duckdb.js'
import {asStatement, stepOf, type RelationScript} from '../../compile/relations.js'
import {BoundValues, type SqlValues} from '../../compile/sql-values.js'
import type {NativeColumn} from './frame-columns.js'
import type {DuckDbSession} from './duckdb-session.js'

/** A script with its values written by the given one; each step is compiled for itself. */
export type Compile = (values: SqlValues) => RelationScript

export interface Statement {
  readonly sql: string
  readonly parameters: readonly bigint[]
}

/** What the script would give; nothing runs. */
export function describeScript(session: DuckDbSession, compile: Compile): Promise<readonly NativeColumn[]> {
  const values = new BoundValues()
  const sql = asStatement(compile(values), duckDb)
  return session.describe(sql, values.parameters)
}

/**
 * Runs the steps before the last, each into a temporary table, and gives the last statement, or that of a shortcut which
 * holds. All of them see one state of a database; when the statement is disposed of, the tables go.
 */
export async function runSteps(
  session: DuckDbSession,
  compile: Compile,
  signal?: AbortSignal,
): Promise<Statement & AsyncDisposable> {
  await session.run('BEGIN TRANSACTION')
  const end = async (): Promise<void> => {
    await session.run('ROLLBACK')
  }
  try {
    const {relations, shortcut} = compile(new BoundValues())
    for (const [index, {kept, name}] of relations.entries()) {
      if (!kept) continue
      const {sql, parameters} = statement(compile, (script) => script.relations[index]?.sql() ?? '')
      await session.run(`CREATE TEMP TABLE ${name} AS ${sql}`, parameters, signal)
      if (name !== shortcut?.after) continue
      const [[holds] = []] = await session.rows(shortcut.holds(), [], signal)
      if (holds === true)
        return {
          ...statement(compile, (script) => script.shortcut?.select() ?? ''),
          [Symbol.asyncDispose]: end,
        }
    }
    return {...statement(compile, ({select}) => select()), [Symbol.asyncDispose]: end}
  } catch (error) {
    await end()
    throw error
  }
}

function statement(compile: Compile, step: (script: RelationScript) => string): Statement {
  const values = new BoundValues()
  const script = compile(values)
  const sql = stepOf(script, step(script), duckDb)
  return {sql, parameters: values.parameters}
}
