/**
 * A question in steps: relations that build on each other, and a last statement that reads them. As one statement with
 * WITH it is for looking at; an engine runs it step by step, with tables between them, because within one statement it
 * holds the memory of every step until the last has ended.
 */
import type {Dialect} from './dialect.js'

export interface Relation {
  /** Quoted, and in no other text: relations are found by it. */
  readonly name: string
  /**
   * `table`: computed once, by a step of its own, whose memory is free when it has ended. `statement`: computed once within
   * the statement that reads it, by an engine with words for that, which costs less than a table where all of it is needed
   * until the end. `no`: a name for a piece of SQL.
   */
  readonly kept: 'table' | 'statement' | 'no'
  /**
   * How many groups it makes at most, where it groups by whole numbers that lie side by side: an engine may keep a place for
   * each, which costs less than to look for it.
   */
  readonly denseGroups?: number | undefined
  readonly sql: () => string
}

/** What may spare the last relations, for an engine that goes step by step. */
export interface Shortcut {
  /** The name of the last relation that it needs, which is kept in a table. */
  readonly after: string
  /** A query with one value: whether `select` gives what the script's last statement would. */
  readonly holds: () => string
  readonly select: () => string
}

/** What an engine that goes step by step may learn on its way, to make the later steps cheaper: they are right without it. */
export interface Facts {
  /** The name of a relation that is kept in a table: the last that it needs. */
  readonly after: string
  /** A query with one row, which the script is compiled with from then on: its relations behind `after` may then be others. */
  readonly query: () => string
}

export interface RelationScript {
  /** Each reads only those before it. */
  readonly relations: readonly Relation[]
  readonly select: () => string
  readonly shortcut?: Shortcut | undefined
  readonly facts?: Facts | undefined
  /** Statements besides this script's read its tables. */
  readonly areShared?: boolean
}

/** All in one statement. */
export function asStatement({relations, select}: RelationScript, {commonTable}: Dialect): string {
  return `${withRelations(relations, commonTable)}${select()}`
}

/** The SQL of one step, given that the tables before it are there: what else it needs stands in it. */
export function stepOf({relations}: RelationScript, sql: string, {commonTable}: Dialect): string {
  const needed: Relation[] = []
  const texts = [sql]
  for (const relation of relations.toReversed()) {
    if (relation.kept === 'table' || !texts.some((text) => text.includes(relation.name))) continue
    needed.unshift(relation)
    texts.push(relation.sql())
  }
  return `${withRelations(needed, commonTable)}${sql}`
}

function withRelations(relations: readonly Relation[], words: Dialect['commonTable']): string {
  if (relations.length === 0) return ''
  const parts = relations.map(({name, kept, sql}) => {
    const how = kept === 'no' ? words.named : words.kept
    return `${name} AS ${how === '' ? '' : `${how} `}(\n  ${sql()}\n)`
  })
  return `WITH ${parts.join(',\n')}\n`
}
