import {readdir, readFile} from 'node:fs/promises'
import {join, relative, resolve, sep} from 'node:path'
import ignore from 'ignore'
import {configFile} from '../config/load-repo-config.js'
import type {RepoConfig} from '../config/repo-config.js'

/** The files that may hold definitions, relative to the repo with `/`, sorted. */
export interface RepoFiles {
  readonly yaml: readonly string[]
  readonly typescript: readonly string[]
}

/** Walks the repo. Left out: dot folders, node_modules, what the stores keep there, and what `.fsignore` names. */
export async function listRepoFiles(config: RepoConfig): Promise<RepoFiles> {
  const rules = ignore().add(await readFile(join(config.directory, '.fsignore'), 'utf8').catch(() => ''))
  const own = new Set([configFile, ...ownPaths(config)])
  const files: string[] = []
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(join(config.directory, folder), {withFileTypes: true})
    await Promise.all(
      entries.map(async (entry) => {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`
        if (own.has(path) || entry.name.startsWith('.') || entry.name === 'node_modules') return
        if (rules.ignores(entry.isDirectory() ? `${path}/` : path)) return
        if (entry.isDirectory()) await walk(path)
        else files.push(path)
      }),
    )
  }
  await walk('')
  files.sort()
  return {
    yaml: files.filter((file) => /\.ya?ml$/i.test(file)),
    typescript: files.filter((file) => file.endsWith('.ts') && !/\.(d|test)\.ts$/.test(file)),
  }
}

/** Where the stores and the registry keep their files, as far as that lies in the repo. */
function ownPaths(config: RepoConfig): readonly string[] {
  const path = config.onlineStore.settings['path']
  return [config.registry, config.materialization.rejectsPath, ...(typeof path === 'string' ? [path] : [])]
    .filter((one) => !one.includes('://'))
    .map((one) => relative(config.directory, resolve(config.directory, one)).split(sep).join('/'))
}
