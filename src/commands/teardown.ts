import ansis from 'ansis'
import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.js'
import {requireYes} from '../cli/confirm.js'

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
        await requireYes({
          question: `This removes all online data and the registry of project ${ansis.bold(project)}.`,
          refusal: `Tearing down project ${project} needs a yes`,
          hint: 'Tear down with --yes.',
          mayAsk: !this.jsonEnabled(),
        })
      }
      const {tables} = await store.teardown()
      this.log(
        `${ansis.green('✓')} Project ${project} is gone: ${tables.length === 1 ? '1 online table' : `${tables.length} online tables`} and the registry.`,
      )
      return {tables}
    })
  }
}
