import * as Args from '@oclif/core/args'
import {BaseCommand} from '../../cli/base-command.js'
import {renderRunDetails} from '../../cli/render-run.js'
import {runDocument, type RunDocument} from '../../cli/run-document.js'

export default class RunsShow extends BaseCommand {
  static override summary = 'Show one run: what each view read, wrote and rejected, and why it failed.'
  static override examples = ['<%= config.bin %> runs show latest']
  static override args = {
    id: Args.string({
      required: true,
      description: 'The run, as `runs list` names it; `latest` for the newest.',
    }),
  }

  async run(): Promise<RunDocument> {
    const {args, flags} = await this.parse(RunsShow)
    return this.withStore(flags, async (store) => {
      const run = await store.describeRun(args.id)
      this.log(renderRunDetails(run))
      return runDocument(run)
    })
  }
}
