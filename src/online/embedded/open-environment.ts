import {closeSync, openSync, readSync, statSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {open, type RootDatabase} from 'lmdb'
import {FeatureStoreError} from '../../errors.js'

export type Environment = RootDatabase<Buffer, Buffer>

/** LMDB marks its meta pages with it, behind their header: `MDB_MAGIC` in mdb.c. */
const magic = 0xbe_ef_c0_de
const magicOffset = 24

/** Makes the folder of an environment. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, {recursive: true}).catch((cause: unknown) => {
    throw unavailable(path, cause)
  })
}

/** Whether anything was ever written there. Throws FS_STORE_UNAVAILABLE where that can't be seen. */
export function hasEnvironment(path: string): boolean {
  try {
    const file = statSync(join(path, 'data.mdb'), {throwIfNoEntry: false})
    return file !== undefined && file.size > 0
  } catch (error) {
    throw unavailable(path, error)
  }
}

/**
 * Opens the environment in a folder, which must be there. Environments of one folder are one within a process, so a
 * reader opens it as a writer does, wherever it may: one that is open for reading alone could not be written by another.
 * Throws FS_STORE_UNAVAILABLE.
 */
export function openEnvironment(path: string, access: 'read' | 'write'): Environment {
  if (hasEnvironment(path)) checkMagic(path)
  try {
    const environment = openIn(path, false)
    // A killed reader keeps its slot, and with it the pages that it saw, until somebody looks.
    if (access === 'write') environment.readerCheck()
    return environment
  } catch (error) {
    if (access === 'write') throw unavailable(path, error)
  }
  try {
    return openIn(path, true)
  } catch (error) {
    throw unavailable(path, error)
  }
}

function openIn(path: string, readOnly: boolean): Environment {
  return open<Buffer, Buffer>({
    path,
    // By default the name decides: `a.b` would be a file.
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    readOnly,
    maxReaders: 512,
  })
}

/** The client does not survive a file that is no LMDB file at all. */
function checkMagic(path: string): void {
  const head = Buffer.alloc(magicOffset + 4)
  let file: number
  try {
    file = openSync(join(path, 'data.mdb'), 'r')
  } catch (error) {
    throw unavailable(path, error)
  }
  try {
    readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  if (head.readUInt32LE(magicOffset) === magic || head.readUInt32BE(magicOffset) === magic) return
  throw new FeatureStoreError('FS_STORE_UNAVAILABLE', `The online store in ${path} is damaged.`, {
    hint: 'Remove that folder; `fs materialize-incremental` then loads all of it again.',
  })
}

function unavailable(path: string, cause: unknown): FeatureStoreError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FeatureStoreError(
    'FS_STORE_UNAVAILABLE',
    `The online store in ${path} can't be opened: ${reason}.`,
    {
      hint: 'Check `online_store.path` in feature_store.yaml and the rights on that folder.',
      cause,
    },
  )
}
