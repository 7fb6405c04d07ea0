import {mkdir, mkdtemp, readdir, rename, rm, rmdir} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {FeatureStoreError} from '../errors.js'

/**
 * Lets `fill` write into a folder beside `directory`, and puts what it wrote in place when it is done. When it fails,
 * nothing is left, not even parent folders made for it. Throws FS_DIRECTORY_NOT_EMPTY when `directory` holds anything,
 * FS_OUTPUT_FAILED when it can't be written; both before `fill` is called.
 */
export async function stageDirectory(
  directory: string,
  fill: (stage: string) => Promise<void>,
): Promise<void> {
  const exists = await isEmptyDirectory(directory)
  // An existing folder is filled, not replaced: it may be a mount, or the folder that a shell stands in.
  const base = exists ? directory : dirname(directory)
  const firstMade = exists ? undefined : await asOutput(directory, mkdir(base, {recursive: true}))
  let workspace: string | undefined
  try {
    workspace = await asOutput(directory, mkdtemp(join(base, `.${basename(directory)}.init-`)))
    // Within the private workspace, a folder with the permissions that the user's folders have.
    const stage = join(workspace, 'repo')
    await mkdir(stage)
    await fill(stage)
    if (exists) await moveEntries(stage, directory)
    else await rename(stage, directory).catch((cause: unknown) => rethrowTaken(directory, cause))
    await rm(workspace, {recursive: true})
  } catch (error) {
    if (workspace !== undefined) await rm(workspace, {recursive: true, force: true})
    if (firstMade !== undefined) await removeEmptyParents(base, firstMade)
    throw error
  }
}

/** True: there and empty; false: not there. Anything else is refused. */
async function isEmptyDirectory(directory: string): Promise<boolean> {
  const entries = await readdir(directory).catch((cause: unknown) => {
    const code = errorCode(cause)
    if (code === 'ENOENT') return undefined
    if (code === 'ENOTDIR') throw notEmpty(directory, 'is not a folder', cause)
    throw unwritable(directory, cause)
  })
  if (entries !== undefined && entries.length > 0) throw notEmpty(directory, 'is not empty')
  return entries !== undefined
}

async function moveEntries(from: string, to: string): Promise<void> {
  const moved: string[] = []
  try {
    for (const name of await readdir(from)) {
      await rename(join(from, name), join(to, name))
      moved.push(name)
    }
  } catch (error) {
    await Promise.all(moved.map((name) => rm(join(to, name), {recursive: true, force: true})))
    throw error
  }
}

async function removeEmptyParents(last: string, first: string): Promise<void> {
  for (let folder = last; folder.length >= first.length; folder = dirname(folder)) {
    if (
      !(await rmdir(folder).then(
        () => true,
        () => false,
      ))
    )
      return
  }
}

async function asOutput<T>(directory: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    throw unwritable(directory, cause)
  })
}

/** Someone else made the folder in the meantime. */
function rethrowTaken(directory: string, cause: unknown): never {
  if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errorCode(cause))) {
    throw notEmpty(directory, 'is not empty', cause)
  }
  throw cause
}

function notEmpty(directory: string, what: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_DIRECTORY_NOT_EMPTY', `${directory} ${what}. Nothing was written.`, {
    hint: 'Name a folder that does not exist yet, or an empty one.',
    cause,
  })
}

function unwritable(directory: string, cause: unknown): FeatureStoreError {
  return new FeatureStoreError(
    'FS_OUTPUT_FAILED',
    `${directory} can't be made: ${cause instanceof Error ? cause.message : 'unknown reason'}.`,
    {hint: 'Name a folder where you may write.', cause},
  )
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
