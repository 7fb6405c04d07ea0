import ansis from 'ansis'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {join, relative, resolve} from 'node:path'
import {BaseCommand} from '../cli/base-command.js'
import {createRepo, type CreatedRepo} from '../init/create-repo.js'
import {templates, type Template} from '../init/templates.js'
import {runScript} from '../offline/run-script.js'

export default class Init extends BaseCommand {
  static override summary = 'Make a new feature repo from a template, with generated data, ready to run.'
  static override description = `Templates: ${Object.entries(templates)
    .map(([name, {summary}]) => `${name} (${summary})`)
    .join('; ')}. README.md in the new repo says what to run.`
  static override examples = [
    '<%= config.bin %> init rides',
    '<%= config.bin %> init scoring --template credit-scoring',
    '<%= config.bin %> init lending --template aws',
  ]
  static override args = {
    directory: Args.string({
      required: true,
      description: 'The folder to make. It may exist if it is empty.',
    }),
  }
  static override flags = {
    template: Flags.string({
      char: 't',
      default: 'minimal',
      summary: `What to start from: ${Object.keys(templates).join(', ')}.`,
      helpValue: 'NAME',
    }),
    project: Flags.string({
      summary: "The project's name; by default made from the folder's.",
      helpValue: 'NAME',
    }),
  }

  async run(): Promise<CreatedRepo> {
    const {args, flags} = await this.parse(Init)
    const base = this.repoDirectory(flags)
    const created = await createRepo({
      directory: resolve(base, args.directory),
      template: flags.template,
      ...(flags.project === undefined ? {} : {project: flags.project}),
      templatesDirectory: join(this.config.root, 'templates'),
      runSql: runScript,
    })
    this.log(`${ansis.green('✓')} Project ${ansis.bold(created.project)} in ${created.directory}`)
    for (const file of created.files) this.log(`  ${file}`)
    this.log(`\nNext:\n${nextSteps(created)}`)
    return created
  }
}

function nextSteps({directory, template}: CreatedRepo): string {
  const folder = relative('.', directory)
  // Whoever came by npx may have no `fs` of their own.
  const fs = process.env['npm_command'] === 'exec' ? 'npx fs' : 'fs'
  const {now, readmeBeginsWith}: Template = templates[template]
  if (readmeBeginsWith !== undefined) return `  README.md, which begins with ${readmeBeginsWith}.`
  const clock = now === undefined ? '' : ` --now ${now}`
  const steps = ['validate', 'apply', `materialize-incremental${clock}`, 'status'].map(
    (step) => `${fs} ${step}`,
  )
  const lines = folder === '' ? steps : [`cd ${quote(folder)}`, ...steps]
  return `${lines.map((line) => `  ${line}`).join('\n')}\n\nREADME.md says more.`
}

/** As a shell takes it literally. */
function quote(word: string): string {
  return /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
