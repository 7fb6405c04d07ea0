import {duckDb} from '../../compile/dialects/duckdb.js'
import {asStatement, stepOf, type Relation, type RelationScript} from '../../compile/relations.js'
import {BoundValues, type SqlValues} from '../../compile/sql-values.js'
import type {NativeColumn} from './frame-columns.js'
import type {DuckDbSession} from './duckdb-session.js'

/** A script with its values written by the given one, and the row of its facts where it is known; each step is compiled for itself. */
export type Compile = (values: SqlValues, facts?: readonly unknown[]) => RelationScript

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
 * holds. When the statement is disposed of, the tables go. Each step is a transaction of its own: what a transaction
 * drops keeps its memory until the end, and of tables that it has made the engine does not know how large they are.
 * Database files stay as they are meanwhile, because they are attached.
 */
export async function runSteps(
  session: DuckDbSession,
  compile: Compile,
  signal?: AbortSignal,
): Promise<Statement & AsyncDisposable> {
  let script = compile(new BoundValues())
  const {shortcut, facts} = script
  let known: readonly unknown[] | undefined
  const step = (part: (script: RelationScript) => string): Statement =>
    statement((values) => compile(values, known), part)
  const tables = new Set<string>()
  const drop = async (names: Iterable<string>): Promise<void> => {
    for (const name of names) {
      tables.delete(name)
      await session.run(`DROP TABLE ${name}`)
    }
  }
  const end = (): Promise<void> => drop([...tables])
  try {
    let readLast: ReadonlyMap<number, readonly string[]> | undefined
    for (let index = 0; index < script.relations.length; index += 1) {
      const {kept, name, denseGroups} = script.relations[index] as Relation
      if (kept !== 'table') continue
      const {sql, parameters} = step((script) => script.relations[index]?.sql() ?? '')
      await withPlaces(session, denseGroups, () =>
        session.run(`CREATE TEMP TABLE ${name} AS ${sql}`, parameters, signal),
      )
      tables.add(name)
      if (name === facts?.after) {
        ;[known] = await session.rows(facts.query(), [], signal)
        // Those that follow may be others now.
        script = compile(new BoundValues(), known)
      }
      if (name === shortcut?.after) {
        const [[holds] = []] = await session.rows(shortcut.holds(), [], signal)
        if (holds === true)
          return {...step((script) => script.shortcut?.select() ?? ''), [Symbol.asyncDispose]: end}
      }
      // With the facts a step may read more than without them.
      if (facts !== undefined && known === undefined) continue
      readLast ??= tablesReadLast(script)
      await drop(readLast.get(index) ?? [])
    }
    return {...step(({select}) => select()), [Symbol.asyncDispose]: end}
  } catch (error) {
    await end()
    throw error
  }
}

/**
 * While it groups by so many numbers in a row, the engine may keep a place for each; by itself it does so for a few
 * thousand: https://duckdb.org/docs/stable/configuration/overview
 */
async function withPlaces(
  session: DuckDbSession,
  groups: number | undefined,
  work: () => Promise<unknown>,
): Promise<void> {
  if (groups === undefined) {
    await work()
    return
  }
  // It counts two values more than there are.
  await session.run(`SET SESSION perfect_ht_threshold = ${Math.ceil(Math.log2(groups + 2))}`)
  try {
    await work()
  } finally {
    // Where the session was closed meanwhile, this would hide why the work failed; the next statement says it as well.
    await session.run('RESET SESSION perfect_ht_threshold').catch(() => undefined)
  }
}

/** Tables that no later step reads, by the step that does; none of a script whose tables others read, too. */
function tablesReadLast(script: RelationScript): ReadonlyMap<number, readonly string[]> {
  const readLast = new Map<number, readonly string[]>()
  if (script.areShared === true) return readLast
  const {relations, shortcut} = script
  const texts = relations.map(({kept, name, sql}) => {
    const own = kept === 'table' ? stepOf(script, sql(), duckDb) : ''
    return name === shortcut?.after
      ? [own, shortcut.holds(), stepOf(script, shortcut.select(), duckDb)].join('\n')
      : own
  })
  texts.push(stepOf(script, script.select(), duckDb))
  for (const {kept, name} of relations) {
    if (kept !== 'table') continue
    const index = texts.findLastIndex((text) => text.includes(name))
    readLast.set(index, [...(readLast.get(index) ?? []), name])
  }
  return readLast
}

function statement(compile: Compile, step: (script: RelationScript) => string): Statement {
  const values = new BoundValues()
  const script = compile(values)
  const sql = stepOf(script, step(script), duckDb)
  return {sql, parameters: values.parameters}
}
