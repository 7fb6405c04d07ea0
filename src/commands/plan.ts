import * as Flags from '@oclif/core/flags'
import {writeFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import {BaseCommand} from '../cli/base-command.js'
import {planDocument, type PlanDocument} from '../cli/plan-document.js'
import {renderPlan} from '../cli/render-plan.js'
import {writeWhole} from '../output-file.js'
import {formatPlan} from '../plan/plan.js'

export default class PlanCommand extends BaseCommand {
  static override summary = 'Show what `apply` would change, and what that means for the data.'
  static override description = `Validates the repo, compares it with what is registered, and prints each change field by field. Nothing is changed.

A change is safe, needs a backfill (the next incremental run loads it), or destroys online data.`
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan --out plan.json',
    '<%= config.bin %> plan --detailed-exitcode',
  ]
  static override flags = {
    'detailed-exitcode': Flags.boolean({
      summary: 'Exit with 0 when nothing would change, 2 when something would.',
    }),
    out: Flags.string({summary: 'Also write the plan to a file, for `apply --plan`.', helpValue: 'FILE'}),
  }

  async run(): Promise<PlanDocument> {
    const {flags} = await this.parse(PlanCommand)
    return this.withStore(flags, async (store) => {
      const plan = await store.plan()
      this.log(renderPlan(plan))
      for (const warning of plan.warnings ?? []) this.warn(warning)
      if (flags.out !== undefined) {
        await writeWhole(resolve(flags.out), (file) => writeFile(file, formatPlan(plan)))
        this.log(`\nThe plan is in ${flags.out}. Run \`fs apply --plan ${flags.out}\` to apply exactly this.`)
      }
      if (flags['detailed-exitcode'] && plan.changes.length > 0) process.exitCode = 2
      return planDocument(plan)
    })
  }
}
