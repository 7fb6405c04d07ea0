import {readdir, readFile, realpath, stat} from 'node:fs/promises'
import {join, relative, resolve, sep} from 'node:path'
import ignore from 'ignore'
import {configFile} from '../config/load-repo-config.js'
import type {RepoConfig} from '../config/repo-config.js'
import type {Problem} from '../errors.js'
import {unreadable} from './unreadable.js'

/** The files that may hold definitions, relative to the repo with `/`, sorted. */
export interface RepoFiles {
  readonly yaml: readonly string[]
  readonly typescript: readonly string[]
  /** What could not be looked at, so that there may be more definitions than were found. */
  readonly problems: readonly Problem[]
}

/**
 * Walks the repo, through links too. Left out: dot folders, node_modules, what the stores keep there, and what
 * `.fsignore` names.
 */
export async function listRepoFiles(config: RepoConfig): Promise<RepoFiles> {
  const problems: Problem[] = []
  const rules = ignore().add(await readIgnoreFile(config.directory, problems))
  const own = new Set([configFile, ...ownPaths(config)])
  const files: string[] = []
  // A link may lead to a folder above it.
  const walked = new Set<string>()
  const walk = async (folder: string): Promise<void> => {
    const absolute = join(config.directory, folder)
    const real = await realpath(absolute)
    if (walked.has(real)) return
    walked.add(real)
    const entries = await readdir(absolute, {withFileTypes: true})
    // Links last: what is in the repo itself goes by its own path.
    for (const entry of entries.sort(
      (one, other) => Number(one.isSymbolicLink()) - Number(other.isSymbolicLink()),
    )) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (own.has(path) || entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const isFolder = entry.isSymbolicLink()
        ? await leadsToFolder(join(absolute, entry.name))
        : entry.isDirectory()
      if (rules.ignores(isFolder ? `${path}/` : path)) continue
      if (!isFolder) files.push(path)
      else await walk(path).catch((error: unknown) => problems.push(unreadable('folder', path, error)))
    }
  }
  await walk('')
  files.sort()
  return {
    yaml: files.filter((file) => /\.ya?ml$/i.test(file)),
    typescript: files.filter((file) => file.endsWith('.ts') && !/\.(d|test)\.ts$/.test(file)),
    problems,
  }
}

async function readIgnoreFile(directory: string, problems: Problem[]): Promise<string> {
  try {
    return await readFile(join(directory, '.fsignore'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      problems.push(unreadable('file', '.fsignore', error))
    return ''
  }
}

/** False for a link that leads nowhere: it is then read as a file, and told. */
function leadsToFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  )
}

/** Where the stores and the registry keep their files, as far as that lies in the repo. */
function ownPaths(config: RepoConfig): readonly string[] {
  const path = config.onlineStore.settings['path']
  return [config.registry, config.materialization.rejectsPath, ...(typeof path === 'string' ? [path] : [])]
    .filter((one) => !one.includes('://'))
    .map((one) => relative(config.directory, resolve(config.directory, one)).split(sep).join('/'))
}
