import {loadFlags, instantArg} from '../cli/flags.js'
import {MaterializeCommand} from '../cli/materialize-command.js'
import type {RunDocument} from '../cli/run-document.js'

export default class Materialize extends MaterializeCommand {
  static override summary = 'Load the newest values of a time interval into the online store.'
  static override description = `Reads the rows after START up to and including END, and writes the newest of each entity, unless the online store
already holds a newer one. So intervals may be loaded in any order, again, and side by side.`
  static override examples = [
    '<%= config.bin %> materialize 2024-01-01 2024-02-01',
    '<%= config.bin %> materialize 2024-01-01T00:00:00Z 2024-02-01T00:00:00Z --view driver_hourly_stats',
  ]
  static override args = {
    start: instantArg({required: true, description: 'Load rows after this time (UTC), …'}),
    end: instantArg({required: true, description: '… up to and including this time.'}),
  }
  static override flags = loadFlags

  async run(): Promise<RunDocument> {
    const {args, flags} = await this.parse(Materialize)
    return this.load(flags, (store, options) =>
      store.materialize({...options, start: args.start, end: args.end}),
    )
  }
}
