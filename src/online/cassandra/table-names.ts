import {createHash} from 'node:crypto'

/** https://cassandra.apache.org/doc/latest/cassandra/developing/cql/ddl.html */
const longestName = 48
const plainName = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/

/**
 * The name in the keyspace of a project's table: `project__table` where both are plain words, which nothing else then
 * is; else as much of that as fits, and a hash of both. It follows from the two names, so that a reader needs no catalog.
 */
export function cqlTableName(project: string, table: string): string {
  const plain = `${project}__${table}`
  if (plainName.test(project) && plainName.test(table) && plain.length <= longestName) return plain
  const hash = createHash('sha256').update(`${project}\0${table}`).digest('hex').slice(0, 12)
  const start = plain
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, longestName - hash.length - 2)
  return `${start}__${hash}`
}

/** Every name is quoted: CQL folds the others to lower case, and takes some words for its own. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
