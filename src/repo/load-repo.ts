import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {RepoConfig} from '../config/repo-config.js'
import {parseYaml} from '../config/yaml-text.js'
import type {Problem} from '../errors.js'
import {checkDefinition, type WrittenDefinition} from './check-definition.js'
import {listRepoFiles} from './list-repo-files.js'
import type {RepoContents} from './repo-contents.js'
import {unreadable} from './unreadable.js'

/** Reads every definition of a repo from its YAML and TypeScript files. What is wrong is collected, not thrown. */
export async function loadRepo(config: RepoConfig): Promise<RepoContents> {
  const files = await listRepoFiles(config)
  const [yaml, typescript] = await Promise.all([
    loadYamlDefinitions(config.directory, files.yaml),
    files.typescript.length === 0
      ? {written: [], problems: []}
      : import('./load-typescript-definitions.js').then(({loadTypescriptDefinitions}) =>
          loadTypescriptDefinitions(config.directory, files.typescript),
        ),
  ])
  const problems = [...files.problems, ...yaml.problems, ...typescript.problems]
  const checked = [...yaml.written, ...typescript.written].map(checkDefinition)
  return {
    definitions: checked.flatMap((one) => one.definitions),
    malformed: checked.flatMap((one) => one.malformed),
    incomplete: problems.length > 0,
    problems: [...problems, ...checked.flatMap((one) => one.problems)],
  }
}

async function loadYamlDefinitions(
  directory: string,
  files: readonly string[],
): Promise<{readonly written: readonly WrittenDefinition[]; readonly problems: readonly Problem[]}> {
  const problems: Problem[] = []
  const texts = await Promise.all(
    files.map((file) =>
      readFile(join(directory, file), 'utf8').catch((error: unknown) => {
        problems.push(unreadable('file', file, error))
        return ''
      }),
    ),
  )
  const parsed = files.map((file, index) => parseYaml(file, texts[index] ?? '', 'FS_DEFINITION_INVALID'))
  return {
    written: parsed.flatMap(({documents}) => documents.map((one) => ({...one, language: 'yaml' as const}))),
    problems: [...problems, ...parsed.flatMap((one) => one.problems)],
  }
}
