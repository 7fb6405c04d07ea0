import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {pythonTools} from '../../../scripts/services/python-tools.mjs'

/** `[driver_id, day of January 2024, conv_rate]` and, since the column was added, trips. Sorted. */
export type LakeRow = readonly (number | null)[]

/** Tables with history, and what a right reader returns of them. */
export interface LakeTables {
  /** Folder of a Delta table with several versions; rows by version. */
  readonly delta: {readonly path: string; readonly versions: readonly (readonly LakeRow[])[]}
  /** A Delta table whose newest version deletes rows by a vector. */
  readonly vector: {readonly path: string; readonly rows: readonly LakeRow[]}
  /** Folder of an Iceberg table; its snapshots in their order. */
  readonly iceberg: {
    readonly path: string
    readonly metadataFile: string
    readonly snapshots: readonly {readonly id: string; readonly rows: readonly LakeRow[]}[]
  }
  /** An Iceberg table to which nothing was written yet. */
  readonly empty: {readonly path: string}
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** Makes the tables in a folder that is not there yet. The first call ever installs what makes them, from PyPI. */
export async function makeLakeTables(folder: string): Promise<LakeTables> {
  const {stdout} = await runPython([join(here, 'make_tables.py'), folder])
  const {delta, vector, iceberg} = JSON.parse(stdout) as {
    readonly delta: readonly (readonly LakeRow[])[]
    readonly vector: readonly LakeRow[]
    readonly iceberg: {
      readonly metadata_file: string
      readonly snapshots: LakeTables['iceberg']['snapshots']
    }
  }
  return {
    delta: {path: join(folder, 'delta', 'stats'), versions: delta},
    vector: {path: join(folder, 'delta', 'vector'), rows: vector},
    iceberg: {
      path: join(folder, 'iceberg', 'db', 'stats'),
      metadataFile: iceberg.metadata_file,
      snapshots: iceberg.snapshots,
    },
    empty: {path: join(folder, 'iceberg', 'db', 'empty')},
  }
}

/** Appends one row to a Delta table, as another process would while a run goes on. */
export async function appendToDelta(path: string, row: readonly [number, number, number]): Promise<void> {
  await runPython([join(here, 'append.py'), path, ...row.map(String)])
}

function runPython(args: readonly string[]): Promise<{readonly stdout: string}> {
  return promisify(execFile)(join(pythonTools(join(here, 'requirements.txt')), 'python'), [...args])
}
