import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {cacheFolder} from './cache-folder.mjs'

/** Longer than an installation that still goes on. */
const patienceMillis = 300_000

/**
 * The folder of commands of a virtual environment of Python with the packages of a list, made once for each list. Asks
 * PyPI, or the mirror of pip's settings, when it is not there. Several may ask at once: one makes it, the others wait.
 *
 * @param {string} requirements A file of pinned packages, in pip's form.
 * @returns {string}
 */
export function pythonTools(requirements) {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  // A virtual environment knows its own path: it can't be made elsewhere and moved.
  const folder = join(cacheFolder, `${basename(dirname(requirements))}-${hash}.venv`)
  madeOnce(folder, () => {
    run('python3', ['-m', 'venv', folder], 'Python can not make a virtual environment (Debian: python3-venv)')
    run(join(folder, 'bin', 'pip'), ['install', ...quiet, '-r', requirements], 'pip can not install')
  })
  return join(folder, 'bin')
}

/**
 * Packages of Python as plain folders, of which only files are wanted; made once.
 *
 * @param {string} folder Where they are put, beside each other.
 * @param {readonly string[]} packages `name==version`
 */
export function pythonFiles(folder, packages) {
  madeOnce(folder, () => {
    const args = ['-m', 'pip', 'install', ...quiet, '--no-deps', '--no-compile', '--target', folder]
    run('python3', [...args, ...packages], 'pip can not fetch')
  })
}

const quiet = ['-q', '--disable-pip-version-check', '--root-user-action=ignore']

/** A folder is whole when the mark is in it. */
function madeOnce(folder, make) {
  const mark = join(folder, '.whole')
  const lock = `${folder}.lock`
  const deadline = performance.now() + patienceMillis
  while (!existsSync(mark)) {
    mkdirSync(dirname(folder), {recursive: true})
    if (isTaken(lock)) {
      if (performance.now() > deadline)
        throw new Error(`Somebody else is making ${folder}. If not: remove ${lock}`)
      sleep(200)
      continue
    }
    try {
      if (existsSync(mark)) return
      rmSync(folder, {recursive: true, force: true})
      make()
      writeFileSync(mark, '')
    } finally {
      rmSync(lock, {force: true})
    }
  }
}

/** Takes the lock where it is free, or where whoever held it is no more. */
function isTaken(lock) {
  try {
    writeFileSync(lock, String(process.pid), {flag: 'wx'})
    return false
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'ENOENT') rmSync(lock, {force: true})
  }
  return true
}

function sleep(millis) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}

function run(command, args, complaint) {
  const {status, stderr, error} = spawnSync(command, args, {encoding: 'utf8'})
  if (status !== 0) throw new Error(`${complaint}: ${error?.message ?? stderr}`)
}
