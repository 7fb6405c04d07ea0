import ansis from 'ansis'
import {BaseCommand} from '../cli/base-command.js'
import {formatCount} from '../cli/format-number.js'
import {renderProblems} from '../cli/render-error.js'
import {listDefinitions} from '../definitions/definition.js'
import {FeatureStoreError, type Problem} from '../errors.js'

export default class Validate extends BaseCommand {
  static override summary = 'Check every definition against its source, and show all problems at once.'
  static override description =
    'Reads feature_store.yaml and all *.yaml, *.yml and *.ts files of the repo, and looks at the real sources. Nothing is registered.'
  static override examples = ['<%= config.bin %> validate', '<%= config.bin %> validate --json']

  async run(): Promise<{problems: readonly Problem[]}> {
    const {flags} = await this.parse(Validate)
    return this.withStore(flags, async (store) => {
      const problems = await store.validate().then(
        (definitions) => {
          this.log(
            `${ansis.green('✓')} ${formatCount(listDefinitions(definitions).length)} definitions are valid.`,
          )
          return []
        },
        (error: unknown) => {
          if (!(error instanceof FeatureStoreError) || error.problems.length === 0) throw error
          this.log(`${renderProblems(error.problems)}\n\n${ansis.red('✗')} ${error.message}`)
          process.exitCode = 1
          return error.problems
        },
      )
      return {problems}
    })
  }
}
