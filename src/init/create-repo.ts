import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {basename, dirname, join, resolve} from 'node:path'
import {FeatureStoreError} from '../errors.js'
import {checkProjectName, projectNameOf} from './project-name.js'
import {stageDirectory} from './stage-directory.js'
import {isTemplateName, templates, type Template, type TemplateName} from './templates.js'

export interface CreateRepoOptions {
  /** The folder to make; it may exist if it is empty. */
  readonly directory: string
  readonly template: string
  /** Default: made from the folder's name. */
  readonly project?: string
  /** Where the package keeps its templates. */
  readonly templatesDirectory: string
  /** Runs the template's generator; `{directory}` in the script stands for `directory`. */
  readonly runSql: (script: string, directory: string) => Promise<void>
}

export interface CreatedRepo {
  /** Absolute. */
  readonly directory: string
  readonly project: string
  readonly template: TemplateName
  /** Relative to the directory with `/`, sorted. */
  readonly files: readonly string[]
}

/**
 * Makes a feature repo from a template, with its data. The same template and project give the same files, byte by byte.
 * The folder appears whole or not at all. Throws FS_TEMPLATE_UNKNOWN, FS_ARGUMENT_INVALID
 * (the project's name) and FS_DIRECTORY_NOT_EMPTY before writing anything.
 */
export async function createRepo(options: CreateRepoOptions): Promise<CreatedRepo> {
  const template = knownTemplate(options.template)
  const directory = resolve(options.directory)
  const project =
    options.project === undefined ? projectNameOf(basename(directory)) : checkProjectName(options.project)
  await stageDirectory(directory, async (stage) => {
    for (const [from, files] of await filesOf(template, options.templatesDirectory))
      await copyFiles(from, files, stage, project)
    await mkdir(join(stage, 'data'), {recursive: true})
    await options.runSql(await readFile(join(stage, generator), 'utf8'), stage)
  })
  return {directory, project, template, files: await listFiles(directory)}
}

/** The script in a template that writes its data. It stays in the repo: it explains the columns. */
const generator = 'generate-data.sql'

function knownTemplate(name: string): TemplateName {
  if (isTemplateName(name)) return name
  throw new FeatureStoreError(
    'FS_TEMPLATE_UNKNOWN',
    `There is no template \`${name}\`. Expected one of: ${Object.keys(templates).join(', ')}.`,
    {hint: 'Choose one of them by --template.'},
  )
}

/** By the folder that they lie in. */
async function filesOf(
  template: TemplateName,
  templatesDirectory: string,
): Promise<readonly (readonly [folder: string, files: readonly string[]])[]> {
  const own = join(templatesDirectory, template)
  const {shared}: Template = templates[template]
  return [
    [own, await listFiles(own)],
    ...(shared === undefined ? [] : [[join(templatesDirectory, shared.from), shared.files] as const]),
  ]
}

async function copyFiles(
  folder: string,
  files: readonly string[],
  target: string,
  project: string,
): Promise<void> {
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    const copy = join(target, dirname(file), installedName(basename(file)))
    await mkdir(dirname(copy), {recursive: true})
    await writeFile(copy, text.replaceAll('{project}', project))
  }
}

/** npm leaves every `.gitignore` out of a package, so a template carries it under another name. */
function installedName(name: string): string {
  return name === '_gitignore' ? '.gitignore' : name
}

async function listFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, {withFileTypes: true})
  const lists = await Promise.all(
    entries.map(async (entry) =>
      entry.isDirectory()
        ? (await listFiles(join(directory, entry.name))).map((file) => `${entry.name}/${file}`)
        : [entry.name],
    ),
  )
  return lists.flat().toSorted()
}
