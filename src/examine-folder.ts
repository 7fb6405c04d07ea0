import {constants} from 'node:fs'
import {access, stat, statfs} from 'node:fs/promises'
import {dirname} from 'node:path'
import type {Examination} from './examination.js'

const littleBytes = 2 ** 30

/** Whether a folder may be written, or made, and how much room its disk has. Makes nothing. */
export async function* examineFolder(path: string): Examination {
  const existing = await nearestFolder(path)
  const isThere = existing === path
  const inTheWay = await fileOnTheWay(path)
  if (inTheWay !== undefined) {
    yield {
      name: 'writable',
      status: 'failed',
      detail: `${inTheWay} is a file, not a folder`,
      remedy: `Remove it, or name another path.`,
    }
    return
  }
  try {
    await access(existing, constants.W_OK | constants.X_OK)
    yield {name: 'writable', status: 'ok', detail: isThere ? path : `${path}, to be made in ${existing}`}
  } catch {
    yield {
      name: 'writable',
      status: 'failed',
      detail: `this user may not write in ${existing}`,
      remedy: isThere
        ? `Give the user rights on it, or name another path.`
        : `Make ${path} for this user, or name another path.`,
    }
  }
  const {bavail, bsize} = await statfs(existing)
  const free = bavail * bsize
  const detail = `${(free / 2 ** 30).toFixed(1)} GiB free`
  if (free >= littleBytes) yield {name: 'disk', status: 'ok', detail}
  else yield {name: 'disk', status: 'warning', detail, remedy: `Make room on the disk of ${existing}.`}
}

/** What stands where the path has a folder; undefined where nothing does. */
async function fileOnTheWay(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined) return found.isDirectory() ? undefined : path
  return dirname(path) === path ? undefined : fileOnTheWay(dirname(path))
}

/** The path itself where it is a folder, or the folder that it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true || dirname(path) === path) return path
  return nearestFolder(dirname(path))
}
