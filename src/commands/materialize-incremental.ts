import {loadFlags, instantArg} from '../cli/flags.js'
import {MaterializeCommand} from '../cli/materialize-command.js'
import type {RunDocument} from '../cli/run-document.js'

export default class MaterializeIncremental extends MaterializeCommand {
  static override summary = 'Load what is not in the online store yet, up to END (now, by default).'
  static override description = `For each view: the rows since the last run, any hole before, and rows that arrived late. Made for cron:

  */5 * * * * fs materialize-incremental -C /path/to/repo --quiet --wait 2m

It says nothing with --quiet unless something is wrong, exits with 1 when a view failed, and a run that was killed is
taken over by the next one.`
  static override examples = [
    '<%= config.bin %> materialize-incremental',
    '<%= config.bin %> materialize-incremental 2024-02-01 --view driver_hourly_stats',
  ]
  static override args = {
    end: instantArg({
      required: false,
      description: 'Load rows up to and including this time (UTC); now by default.',
    }),
  }
  static override flags = loadFlags

  async run(): Promise<RunDocument> {
    const {args, flags} = await this.parse(MaterializeIncremental)
    return this.load(flags, (store, options) =>
      store.materializeIncremental({...options, ...(args.end === undefined ? {} : {end: args.end})}),
    )
  }
}
