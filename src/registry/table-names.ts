/** Names of tables in the online store. A name is never given twice: a load that has missed its end may still write to it. */
import type {RegistryDocument} from './registry.js'
import {tablesOf} from './replacement.js'

/** Enough for any that may still be written to. */
const namesKept = 1000

/** Tables that the registry knows: in use, being created, to be dropped. */
export function knownTables(document: RegistryDocument): readonly string[] {
  const {views, pendingDrops, reservedTables = []} = document
  return [...Object.values(views).flatMap(tablesOf), ...pendingDrops, ...reservedTables]
}

/** Names that no new table may have, in lower case. `occupied` names tables that exist besides those the registry knows. */
export function takenNames(document: RegistryDocument, occupied: readonly string[]): Set<string> {
  const {formerTables = []} = document
  return new Set([...knownTables(document), ...formerTables, ...occupied].map((table) => table.toLowerCase()))
}

/** The view's own name, then `view__2` and so on. */
export function freeTable(view: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const table = number === 1 ? view : `${view}__${number}`
    if (!taken.has(table.toLowerCase())) return table
  }
}

/** The document when tables that were to be dropped are gone. */
export function withoutDrops(document: RegistryDocument, dropped: readonly string[]): RegistryDocument {
  const {pendingDrops, formerTables = []} = document
  return {
    ...document,
    pendingDrops: pendingDrops.filter((table) => !dropped.includes(table)),
    formerTables: [...new Set([...dropped, ...formerTables])].slice(0, namesKept),
  }
}
