import ansis from 'ansis'
import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.js'
import {canAsk, confirm} from '../cli/confirm.js'
import {FeatureStoreError} from '../errors.js'

export default class Teardown extends BaseCommand {
  static override summary = "Remove this project's online tables and its registry."
  static override description =
    'Other projects in the same store keep theirs; sources and definitions are not touched. Safe to run twice.'
  static override examples = ['<%= config.bin %> teardown', '<%= config.bin %> teardown --yes']
  static override flags = {
    yes: Flags.boolean({char: 'y', summary: 'Do not ask.'}),
  }

  async run(): Promise<{tables: readonly string[]}> {
    const {flags} = await this.parse(Teardown)
    return this.withStore(flags, async (store) => {
      const {project} = store.config
      if (!flags.yes) {
        const hint = 'Tear down with --yes.'
        if (this.jsonEnabled() || !canAsk()) {
          throw new FeatureStoreError(
            'FS_APPLY_NOT_CONFIRMED',
            `Tearing down project ${project} needs a yes, and there is no terminal to ask on. Nothing was changed.`,
            {hint},
          )
        }
        if (
          !(await confirm(`This removes all online data and the registry of project ${ansis.bold(project)}.`))
        ) {
          throw new FeatureStoreError('FS_APPLY_NOT_CONFIRMED', 'Not confirmed. Nothing was changed.', {hint})
        }
      }
      const {tables} = await store.teardown()
      this.log(
        `${ansis.green('✔')} Project ${project} is gone: ${tables.length} online tables and the registry.`,
      )
      return {tables}
    })
  }
}
