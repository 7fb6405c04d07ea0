import ansis from 'ansis'
import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.js'
import {durationFlag} from '../cli/flags.js'
import {formatCount} from '../cli/format-number.js'

const dayMicros = 86_400_000_000n

interface CleanupDocument {
  readonly location: string | null
  readonly runs: number
  readonly objects: number
  readonly uploads: number
  readonly bytes: number
  readonly removed: boolean
}

export default class Cleanup extends BaseCommand {
  static override summary = 'Remove what killed runs left in the staging location of the offline store.'
  static override description =
    'Each command has a prefix of its own there and empties it at its end; one that was killed could not. Safe to run while others run, as long as none of them takes longer than --older-than.'
  static override examples = [
    '<%= config.bin %> cleanup --dry-run',
    '<%= config.bin %> cleanup --older-than 2d',
  ]
  static override flags = {
    'older-than': durationFlag({
      summary: 'Leave alone what was written within this time (90s, 15m, 2h, 1d, 2w). A day by default.',
    }),
    'dry-run': Flags.boolean({summary: 'Only say what would be removed.'}),
  }

  async run(): Promise<CleanupDocument> {
    const {flags} = await this.parse(Cleanup)
    return this.withStore(flags, async (store) => {
      const dryRun = flags['dry-run']
      const left = await store.cleanUp({olderThan: flags['older-than'] ?? dayMicros, dryRun})
      if (left === undefined) {
        this.log(`The offline store of type ${store.config.offlineStore.type} leaves nothing elsewhere.`)
        return {location: null, runs: 0, objects: 0, uploads: 0, bytes: 0, removed: false}
      }
      const {location, runs, objects, uploads, bytes} = left
      const isClean = objects + uploads === 0
      const unended = uploads === 0 ? '' : ` and ${counted(uploads, 'unfinished upload')}`
      const what = `${counted(objects, 'object')}${unended} of ${counted(runs, 'run')} in ${location} (${formatCount(bytes)} bytes)`
      this.log(
        isClean
          ? `${ansis.green('✓')} Nothing in ${location} is old enough to be removed; --older-than says how old.`
          : dryRun
            ? `Would remove ${what}.`
            : `${ansis.green('✓')} Removed ${what}.`,
      )
      return {...left, removed: !dryRun && !isClean}
    })
  }
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}
