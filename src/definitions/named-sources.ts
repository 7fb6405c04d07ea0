import type {DataSource} from './definition.js'

/** The sources whose names stand in a piece of SQL as a word (identifiers ignore case). */
export function sourcesNamedIn(sql: string, sources: readonly DataSource[]): readonly DataSource[] {
  const words = new Set(sql.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu))
  return sources.filter((source) => words.has(source.name.toLowerCase()))
}
