/**
 * A lock between processes that share a folder: a file that only one can create. A lock whose holder is surely dead is
 * broken at once; nothing else ever breaks one.
 */
import {createHash, randomBytes, randomInt} from 'node:crypto'
import {link, readFile, unlink, writeFile} from 'node:fs/promises'
import {setTimeout as sleep} from 'node:timers/promises'
import {FeatureStoreError} from '../../errors.js'
import {asRecord, asText, formatIdentity, parseIdentity} from '../document-values.js'
import {isAlive, readProcessIdentity} from '../process-identity.js'
import type {ProcessIdentity} from '../registry.js'

const defaultPatienceMillis = 10_000
const longestDelayMillis = 20

/** A lock that is held. */
export interface FileLock {
  /** Throws FS_REGISTRY_LOCKED when the lock file was taken away (by hand, say): what it guards must not be changed. */
  verify(): Promise<void>
  /** Safe to run twice; leaves a lock alone that is no longer this one. */
  release(): Promise<void>
}

/**
 * Waits for the lock at `path` and takes it; its folder must exist. When a living or unknown process still holds it
 * after `patienceMillis`, FS_REGISTRY_LOCKED says who.
 */
export async function acquireFileLock(
  path: string,
  patienceMillis = defaultPatienceMillis,
): Promise<FileLock> {
  const self = readProcessIdentity()
  const token = randomBytes(6).toString('hex')
  // The content must be there the moment the lock is: a link to a finished file cannot be seen half-written.
  const candidate = candidateOf(path, token, self)
  await writeFile(candidate, `${JSON.stringify({token, holder: formatIdentity(self)}, undefined, 2)}\n`, {
    flag: 'wx',
  })
  try {
    let waited = 0
    for (let attempt = 1; !(await tryCreate(candidate, path)); attempt += 1) {
      const lock = await readLock(path)
      if (lock === 'free') continue
      // Over a network a link may be made and its answer lost.
      if (lock !== 'unknown' && lock.token === token) break
      if (lock !== 'unknown' && isAlive(lock.holder, self) === false) {
        await breakLock(path, lock.token, patienceMillis - waited)
        continue
      }
      if (waited >= patienceMillis) throw locked(path, lock)
      const delay = randomInt(1, Math.min(longestDelayMillis, 2 * attempt) + 1)
      await sleep(delay)
      waited += delay
    }
  } finally {
    await unlinkIfThere(candidate)
  }
  return heldLock(path, token)
}

/** Whether a file in the folder of `lockPath` is what a process left that died while it waited for the lock or broke one. */
export async function isAbandonedCandidate(lockPath: string, file: string): Promise<boolean> {
  if (!file.startsWith(`${lockPath}.`)) return false
  const self = readProcessIdentity()
  const lock = await readLock(file)
  if (typeof lock === 'object') return isAlive(lock.holder, self) === false
  // Killed before it wrote a word: then only the name tells whose it is.
  const owner = lock === 'unknown' ? ownerNamed(file) : undefined
  return owner !== undefined && isAlive(owner, hashed(self)) === false
}

function heldLock(path: string, token: string): FileLock {
  const isOurs = async (): Promise<boolean> => {
    const lock = await readLock(path)
    return typeof lock === 'object' && lock.token === token
  }
  return {
    async verify() {
      if (await isOurs()) return
      throw new FeatureStoreError(
        'FS_REGISTRY_LOCKED',
        `The lock ${path} was taken from this process while it held it. Nothing was changed.`,
        {hint: 'Run the command again, and leave the lock file to the processes that use it.'},
      )
    },
    async release() {
      if (await isOurs()) await unlinkIfThere(path)
    },
  }
}

interface LockContent {
  readonly token: string
  readonly holder: ProcessIdentity
}

/** The name tells whose it is, since a process may be killed before it has written that into the file. */
function candidateOf(path: string, token: string, self: ProcessIdentity): string {
  const {host, bootId, pid, startedAt} = hashed(self)
  return `${path}.wait-${host}-${bootId}-${pid}-${startedAt}-${token}`
}

/** The process that a candidate's name tells, as `hashed` gives it. */
function ownerNamed(file: string): ProcessIdentity | undefined {
  const [, host, bootId, pid, startedAt] = /\.wait-(\w+)-(\w*)-(\d+)-(\w*)-\w+$/.exec(file) ?? []
  if (host === undefined || bootId === undefined || startedAt === undefined) return undefined
  return {host, bootId, pid: Number(pid), startedAt}
}

/** An identity whose parts fit in a file's name. Two of them compare as the identities do. */
function hashed({host, bootId, pid, startedAt}: ProcessIdentity): ProcessIdentity {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
  return {host: hash(host), bootId: bootId === '' ? '' : hash(bootId), pid, startedAt}
}

async function tryCreate(candidate: string, path: string): Promise<boolean> {
  try {
    await link(candidate, path)
    return true
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
  }
  // A file system without hard links. A process that dies right here leaves an empty lock: the error below names it.
  try {
    await writeFile(path, await readFile(candidate), {flag: 'wx'})
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readLock(path: string): Promise<LockContent | 'free' | 'unknown'> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'free'
    throw error
  }
  try {
    const {token, holder} = asRecord(JSON.parse(text), '')
    return {token: asText(token, 'token'), holder: parseIdentity(holder, 'holder')}
  } catch {
    return 'unknown'
  }
}

/**
 * Removes the lock of a dead holder. Two processes that saw the same dead holder must not both remove: the slower one
 * would remove the lock that the faster one took since. So whoever breaks a lock first takes a lock for breaking just
 * that one (which, should its holder die too, is broken the same way), and looks again.
 */
async function breakLock(path: string, token: string, patienceMillis: number): Promise<void> {
  const right = await acquireFileLock(`${path}.break-${token}`, patienceMillis)
  try {
    const lock = await readLock(path)
    if (typeof lock === 'object' && lock.token === token) await unlinkIfThere(path)
  } finally {
    await right.release()
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function locked(path: string, lock: LockContent | 'unknown'): FeatureStoreError {
  const holder =
    lock === 'unknown' ? 'an unknown process' : `process ${lock.holder.pid} on ${lock.holder.host}`
  return new FeatureStoreError(
    'FS_REGISTRY_LOCKED',
    `The registry is being written by ${holder}, which does not finish (lock ${path}). Nothing was changed.`,
    {hint: `Wait for that process; if it is surely gone, delete ${path}.`},
  )
}
