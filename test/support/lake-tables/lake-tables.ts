import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {pythonTools} from '../../../scripts/services/python-tools.mjs'

/** `[driver_id, day of January 2024, conv_rate]` and, since the column was added, trips. Sorted. */
export type LakeRow = readonly (number | null)[]

/** A table by its folder and by its newest metadata file; its snapshots in their order. */
export interface IcebergTable {
  readonly path: string
  readonly metadataFile: string
  readonly snapshots: readonly {readonly id: string; readonly rows: readonly LakeRow[]}[]
}

/** Tables with history, and what a right reader returns of them. */
export interface LakeTables {
  /** Folder of a Delta table with several versions; rows by version. */
  readonly delta: {readonly path: string; readonly versions: readonly (readonly LakeRow[])[]}
  /** A Delta table whose newest version deletes rows by a vector. */
  readonly vector: {readonly path: string; readonly rows: readonly LakeRow[]}
  readonly iceberg: IcebergTable
  /** An Iceberg table whose newest snapshot deletes rows by their positions. */
  readonly merged: {readonly path: string; readonly rows: readonly LakeRow[]}
  /** An Iceberg table to which nothing was written yet. */
  readonly empty: {readonly path: string}
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** Makes the tables in a folder that is not there yet. The first call ever installs what makes them, from PyPI. */
export async function makeLakeTables(folder: string): Promise<LakeTables> {
  const {stdout} = await runPython([join(here, 'make_tables.py'), folder])
  const {delta, vector, iceberg, merged} = JSON.parse(stdout) as {
    readonly delta: readonly (readonly LakeRow[])[]
    readonly vector: readonly LakeRow[]
    readonly iceberg: MadeIceberg
    readonly merged: readonly LakeRow[]
  }
  return {
    delta: {path: join(folder, 'delta', 'stats'), versions: delta},
    vector: {path: join(folder, 'delta', 'vector'), rows: vector},
    iceberg: icebergTable(iceberg),
    merged: {path: join(folder, 'iceberg', 'db', 'merged'), rows: merged},
    empty: {path: join(folder, 'iceberg', 'db', 'empty')},
  }
}

/** Makes the Iceberg table in a bucket of the stand-in for AWS. The folder, which is not there yet, holds its catalog. */
export async function makeIcebergInS3(folder: string, url: string, bucket: string): Promise<IcebergTable> {
  const {stdout} = await runPython([join(here, 'make_tables.py'), folder, url, bucket])
  return icebergTable((JSON.parse(stdout) as {readonly iceberg: MadeIceberg}).iceberg)
}

interface MadeIceberg {
  readonly location: string
  readonly metadata_file: string
  readonly snapshots: IcebergTable['snapshots']
}

function icebergTable({location, metadata_file, snapshots}: MadeIceberg): IcebergTable {
  const plain = (url: string): string => url.replace(/^file:\/\//, '')
  return {path: plain(location), metadataFile: plain(metadata_file), snapshots}
}

/** Appends one row to a Delta table, as another process would while a run goes on. */
export async function appendToDelta(path: string, row: readonly [number, number, number]): Promise<void> {
  await runPython([join(here, 'append.py'), path, ...row.map(String)])
}

function runPython(args: readonly string[]): Promise<{readonly stdout: string}> {
  return promisify(execFile)(join(pythonTools(join(here, 'requirements.txt')), 'python'), [...args])
}
