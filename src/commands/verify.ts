import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.js'
import {nowFlag} from '../cli/flags.js'
import {showProgress} from '../cli/progress.js'
import {renderVerification} from '../cli/render-verify.js'
import {verificationDocument, type VerificationDocument} from '../cli/verification-document.js'

export default class Verify extends BaseCommand {
  static override summary = 'Compare what is online with what the sources say, key by key.'
  static override description = `Of each key it takes the newest row of the source in what is loaded, and reads the key from the online store. A key is
MISSING (no row), DIFFERENT (an older row, or other values), EXTRA (its row is one that the source does not have), DUE (its
row came into the source after the last incremental run, and waits for the next one: no difference) or EQUAL. Rows older
than the ttl are not served, so they are not compared.

A sample finds with 95 % what is wrong with one key in 300; the same --seed picks the same keys again. Online stores can't
list their keys: rows of keys that the source no longer has are found with --all alone, by their number, where the store
counts its rows and the view has no ttl.

It writes nothing, may run at any time, and exits with 1 when there are more differences than --max-mismatch. Rows that are
missing or older than expected come back by loading them again: \`fs materialize START END --view VIEW\`.`
  static override examples = [
    '<%= config.bin %> verify',
    '<%= config.bin %> verify --view driver_hourly_stats --all',
    '<%= config.bin %> verify --sample 10000 --seed 7 --max-reads-per-second 500 --json',
  ]
  static override flags = {
    ...nowFlag,
    view: Flags.string({
      multiple: true,
      summary: 'Verify only this feature view; may be given several times.',
      helpValue: 'VIEW',
    }),
    sample: Flags.integer({
      min: 1,
      exclusive: ['all'],
      summary: 'Check this many keys of each view; 1,000 by default.',
      helpValue: 'N',
    }),
    all: Flags.boolean({summary: 'Check every key.'}),
    seed: Flags.integer({
      summary: 'Pick other keys for the sample; 0 by default.',
      helpValue: 'N',
    }),
    'max-mismatch': Flags.integer({
      min: 0,
      default: 0,
      summary: 'Succeed although up to this many keys of all views differ.',
      helpValue: 'N',
    }),
    'max-reads-per-second': Flags.integer({
      min: 1,
      default: 5000,
      summary: 'Read no more keys than this from the online store in a second.',
      helpValue: 'N',
    }),
    quiet: Flags.boolean({char: 'q', summary: 'Print only what went wrong.'}),
  }

  async run(): Promise<VerificationDocument> {
    const {flags} = await this.parse(Verify)
    const {view: views, seed, quiet} = flags
    const sample = flags.all ? 'all' : flags.sample
    const verification = await this.withStore(flags, (store) =>
      this.withInterrupt(async (signal) => {
        const progress = await showProgress(quiet ? 'none' : process.stderr.isTTY ? 'bars' : 'lines')
        try {
          return await store.verify({
            ...(views === undefined ? {} : {views}),
            ...(sample === undefined ? {} : {sample}),
            ...(seed === undefined ? {} : {seed}),
            maxReadsPerSecond: flags['max-reads-per-second'],
            signal,
            onProgress: progress.update,
          })
        } finally {
          progress.stop()
        }
      }),
    )
    const failed = verification.views.some(({status}) => status === 'failed')
    const isWrong = failed || verification.differences > flags['max-mismatch']
    if (isWrong) process.exitCode = 1
    const document = verificationDocument(verification)
    if (isWrong || !quiet) this.log(renderVerification(document))
    return document
  }
}
