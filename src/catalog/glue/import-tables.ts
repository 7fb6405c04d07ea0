import {access, writeFile} from 'node:fs/promises'
import {join, relative} from 'node:path'
import type {Entity} from '../../definitions/definition.js'
import {FeatureStoreError} from '../../errors.js'
import {writeWhole} from '../../output-file.js'
import type {CatalogTable} from './catalog-table.js'
import {draftDefinitions} from './draft-definitions.js'
import {GlueCatalog, type GlueAccess} from './glue-catalog.js'

export interface ImportedTables {
  /** Files, relative to the repo. */
  readonly written: readonly string[]
  /** Files that were there before and are as they were. */
  readonly kept: readonly string[]
  /** Tables that the engine can't read. */
  readonly skipped: readonly {readonly table: string; readonly reason: string}[]
}

/**
 * Writes a file of definitions for each table of a database, or for those that are named, into the repo. A file that is
 * there is never overwritten, so that it may run again for new tables. Throws as GlueCatalog does, before anything is
 * written, and FS_OUTPUT_FAILED.
 */
export async function importTables({
  database,
  tables,
  access: as,
  directory,
  entities,
}: {
  readonly database: string
  /** All where there are none. */
  readonly tables: readonly string[]
  readonly access: GlueAccess
  /** The folder of the repo. */
  readonly directory: string
  /** Those of the repo. */
  readonly entities: readonly Entity[]
}): Promise<ImportedTables> {
  const catalog = new GlueCatalog(as)
  try {
    const found =
      tables.length === 0 ? await catalog.tables(database) : await namedTables(catalog, database, tables)
    if (found.length === 0) {
      throw new FeatureStoreError('FS_SOURCE_UNREADABLE', `The Glue database \`${database}\` has no table.`, {
        hint: 'Check `--database`, and that AWS_REGION is the region of the catalog.',
      })
    }
    const written: string[] = []
    const kept: string[] = []
    const skipped: {table: string; reason: string}[] = []
    const known = [...entities]
    for (const table of found) {
      if (table.format.kind === 'unreadable') {
        skipped.push({table: table.name, reason: `it is ${table.format.name}, which DuckDB can't read`})
        continue
      }
      const path = join(directory, `${table.name.replaceAll(/[^\w.-]+/g, '_').replace(/^\.+/, '_')}.yaml`)
      if (await isThere(path)) {
        kept.push(relative(directory, path))
        continue
      }
      const {text, entity} = draftDefinitions(table, as, known)
      if (entity !== undefined) known.push(entity)
      await writeWhole(path, (file) => writeFile(file, text))
      written.push(relative(directory, path))
    }
    return {written, kept, skipped}
  } finally {
    catalog.close()
  }
}

async function namedTables(
  catalog: GlueCatalog,
  database: string,
  names: readonly string[],
): Promise<readonly CatalogTable[]> {
  const found: CatalogTable[] = []
  for (const name of new Set(names)) found.push(await catalog.table(database, name))
  return found
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
