import type {DataSource} from '../definitions/definition.js'

/** A source and all that its query reads, directly or through others. Empty when there is no such source. */
export function lineageOf(name: string, sources: readonly DataSource[]): readonly DataSource[] {
  const lineage = new Map<string, DataSource>()
  const add = (source: DataSource | undefined): void => {
    if (source === undefined || lineage.has(source.name)) return
    lineage.set(source.name, source)
    if (source.type === 'query') for (const input of namedIn(source.query, sources)) add(input)
  }
  add(sources.find((one) => one.name === name))
  return [...lineage.values()]
}

/** The sources whose names stand in the SQL as a word: as a query is read, so that no input is overlooked. */
function namedIn(sql: string, sources: readonly DataSource[]): readonly DataSource[] {
  const words = new Set(sql.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu))
  return sources.filter((source) => words.has(source.name.toLowerCase()))
}
