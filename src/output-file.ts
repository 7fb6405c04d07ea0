import {randomUUID} from 'node:crypto'
import {chmod, realpath, rename, rm, stat} from 'node:fs/promises'
import {dirname} from 'node:path'
import {FeatureStoreError} from './errors.js'

/**
 * Lets `write` make a file beside `path` and puts it in its place when it is whole; a link is followed, and rights of a
 * file that was there are kept. On any failure nothing is left of it, and what was there before stays. Throws
 * FS_OUTPUT_FAILED where no file can be written.
 */
export async function writeWhole<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const target = await realpath(path).catch(() => path)
  const rights = await checkPlace(path, target)
  const temporary = `${target}.${randomUUID().slice(0, 8)}.part`
  try {
    const result = await write(temporary)
    if (rights !== undefined) await chmod(temporary, rights)
    await rename(temporary, target)
    return result
  } catch (error) {
    await rm(temporary, {force: true})
    throw aboutOutput(error, temporary) ? outputFailed(path, reasonOf(error), error) : error
  }
}

/** The rights of the file that is there. A pipe or a device would be replaced, not written to. */
async function checkPlace(path: string, target: string): Promise<number | undefined> {
  const folder = await stat(dirname(target)).catch((cause: unknown) => {
    throw outputFailed(path, 'its folder does not exist', cause)
  })
  if (!folder.isDirectory()) throw outputFailed(path, 'its folder is a file')
  const there = await stat(target).catch(() => undefined)
  if (there?.isDirectory() === true) throw outputFailed(path, 'it is a folder')
  if (there?.isFile() === false) throw outputFailed(path, 'it is a pipe or a device, which would be replaced')
  return there && there.mode & 0o777
}

/** The engine names the file that it could not write; the system's own calls have a code. */
function aboutOutput(error: unknown, temporary: string): boolean {
  return error instanceof Error && (error.message.includes(temporary) || 'syscall' in error)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}

function outputFailed(path: string, reason: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_OUTPUT_FAILED', `${path} can't be written: ${reason}.`, {
    hint: 'Name a file in a folder that exists and where you may write.',
    cause,
  })
}
