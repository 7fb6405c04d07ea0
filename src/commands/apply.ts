import ansis from 'ansis'
import * as Flags from '@oclif/core/flags'
import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import {BaseCommand} from '../cli/base-command.js'
import {requireYes} from '../cli/confirm.js'
import {planDocument, type PlanDocument} from '../cli/plan-document.js'
import {destroysData, renderPlan} from '../cli/render-plan.js'
import {FeatureStoreError} from '../errors.js'
import {parsePlan, type Plan} from '../plan/plan.js'
import {shownLocation} from '../registry/location.js'

export default class Apply extends BaseCommand {
  static override summary = 'Register what the repo defines, and bring the online store in line.'
  static override description = `Shows the plan first, and asks before anything that destroys data. Without a terminal to ask on it refuses, unless
--yes is given. A run that was killed is cured by applying again.`
  static override examples = [
    '<%= config.bin %> apply',
    '<%= config.bin %> apply --yes',
    '<%= config.bin %> apply --plan plan.json',
  ]
  static override flags = {
    yes: Flags.boolean({char: 'y', summary: 'Do not ask, also where data is destroyed.'}),
    plan: Flags.string({
      summary: 'Apply exactly this reviewed plan, or refuse if it is stale.',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<PlanDocument & {readonly revision: string; readonly lost_views?: readonly string[]}> {
    const {flags} = await this.parse(Apply)
    return this.withStore(flags, async (store) => {
      const plan = flags.plan === undefined ? await store.plan() : await readPlan(flags.plan)
      this.log(renderPlan(plan))
      if (!flags.yes && destroysData(plan)) {
        await requireYes({
          question: `\nThis destroys online data of project ${ansis.bold(store.config.project)}.`,
          refusal: 'The plan destroys online data',
          hint: 'Read the plan above, then apply with --yes.',
          mayAsk: !this.jsonEnabled(),
        })
      }
      const {revision} = await store.apply({plan})
      const applied = {...planDocument(plan), revision}
      if (plan.changes.length > 0) {
        this.log(
          `${ansis.green('✓')} Applied. Registry ${shownLocation(store.config.registry)} is at revision ${revision}.`,
        )
        return applied
      }
      // Nothing opened the online store yet, and perhaps it is another one than the last time.
      const {views} = await store.status()
      const lost = views.filter((view) => view.lost === true).map(({name}) => name)
      if (lost.length === 0) return applied
      this.log(
        `${ansis.yellow('!')} The online store does not hold what was loaded of ${lost.join(', ')}. \`fs materialize-incremental\` loads it again.`,
      )
      return {...applied, lost_views: lost}
    })
  }
}

async function readPlan(file: string): Promise<Plan> {
  const text = await readFile(resolve(file), 'utf8').catch((cause: unknown) => {
    throw new FeatureStoreError('FS_PLAN_INVALID', `The plan ${file} can't be read.`, {
      hint: 'Write one with `fs plan --out plan.json`.',
      cause,
    })
  })
  return parsePlan(text, file)
}
