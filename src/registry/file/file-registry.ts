/** A registry in one readable JSON file, for one machine or a shared folder. */
import {randomUUID} from 'node:crypto'
import {mkdir, open, readdir, readFile, realpath, rename, stat, unlink} from 'node:fs/promises'
import {basename, dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {FeatureStoreError} from '../../errors.js'
import {examineFolder} from '../../examine-folder.js'
import type {Examination} from '../../examination.js'
import {formatSnapshot, parseSnapshot} from '../document-codec.js'
import type {Registry, RegistryDocument, RegistryDriver, RegistrySnapshot} from '../registry.js'
import {emptyRevision, emptySnapshot, registryConflict} from '../snapshots.js'
import {acquireFileLock, isAbandonedCandidate, type FileLock} from './file-lock.js'

export const fileRegistryDriver: RegistryDriver = {
  open({location, project, repoDirectory}) {
    const path = location.startsWith('file://') ? fileURLToPath(location) : resolve(repoDirectory, location)
    return Promise.resolve(new FileRegistry(path, project))
  },
}

/**
 * Writers take turns by a lock file beside the registry. A new document is written to a file of its own, flushed, and
 * renamed over the old one, so that a reader, who takes no lock, sees one or the other whole.
 */
class FileRegistry implements Registry {
  readonly #path: string
  readonly #project: string

  constructor(path: string, project: string) {
    this.#path = path
    this.#project = project
  }

  async read(): Promise<RegistrySnapshot> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if (isCode(error, 'ENOENT')) return emptySnapshot(this.#project)
      throw this.#unreadable(error)
    }
    return parseSnapshot(text, this.#path, this.#project)
  }

  async commit(document: RegistryDocument, expectedRevision: string): Promise<RegistrySnapshot> {
    if (document.project !== this.#project) {
      throw new Error(`a document of project ${document.project} in the registry of ${this.#project}`)
    }
    return this.#locked(async (path, lock) => {
      const current = await this.read()
      if (current.revision !== expectedRevision) throw registryConflict(this.#path)
      const next = {revision: randomUUID(), document}
      await replaceFile(path, formatSnapshot(next), lock)
      return next
    })
  }

  examine(): Examination {
    return examineFolder(dirname(this.#path))
  }

  async destroy(): Promise<void> {
    if ((await this.read()).revision === emptyRevision) return
    await this.#locked(async (path, lock) => {
      // Read again: in the meantime the file may have become another project's, which is not ours to remove.
      if ((await this.read()).revision === emptyRevision) return
      await lock.verify()
      await unlink(path)
      await flushFolder(dirname(path))
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  async #locked<T>(write: (path: string, lock: FileLock) => Promise<T>): Promise<T> {
    try {
      await mkdir(dirname(this.#path), {recursive: true})
      // Behind a symbolic link lies the one file that all its names must lock and replace.
      const path = await realpath(this.#path).catch(() => this.#path)
      const lock = await acquireFileLock(lockOf(path))
      try {
        await sweep(path)
        return await write(path, lock)
      } finally {
        await lock.release()
      }
    } catch (error) {
      throw error instanceof FeatureStoreError || !isSystemError(error) ? error : this.#unwritable(error)
    }
  }

  #unreadable(cause: unknown): FeatureStoreError {
    return new FeatureStoreError(
      'FS_REGISTRY_UNREADABLE',
      `The registry ${this.#path} can't be read: ${reasonOf(cause)}.`,
      {hint: 'Let `registry` in feature_store.yaml name a file that this user may read.', cause},
    )
  }

  #unwritable(cause: unknown): FeatureStoreError {
    return new FeatureStoreError(
      'FS_REGISTRY_UNWRITABLE',
      `The registry ${this.#path} can't be written: ${reasonOf(cause)}.`,
      {hint: 'Let `registry` in feature_store.yaml name a file in a folder that this user may write.', cause},
    )
  }
}

/** Durable when it settles: the bytes first, then the name, then the folder that holds the name. */
async function replaceFile(path: string, text: string, lock: FileLock): Promise<void> {
  const temporary = `${temporaryOf(path)}${randomUUID()}`
  const mode = (await stat(path).catch(() => undefined))?.mode
  try {
    const file = await open(temporary, 'wx')
    try {
      // A registry that a group may write stays so.
      if (mode !== undefined) await file.chmod(mode)
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await lock.verify()
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  await flushFolder(dirname(path))
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems can't flush a folder; the rename is then as durable as they make it.
    if (!isCode(error, 'EINVAL') && !isCode(error, 'ENOTSUP')) throw error
  } finally {
    await handle.close()
  }
}

/** Removes what killed writers left. Temporary files are written only under the lock, so under the lock none is alive. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    const left =
      name.startsWith(basename(temporaryOf(path))) || (await isAbandonedCandidate(lockOf(path), file))
    if (left) await unlink(file).catch(() => undefined)
  }
}

function lockOf(path: string): string {
  return `${path}.lock`
}

function temporaryOf(path: string): string {
  return `${path}.new-`
}

function reasonOf(error: unknown): string {
  const {code, message} = error as NodeJS.ErrnoException
  switch (code) {
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of its path is a file, not a folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full'
    default:
      return message
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
