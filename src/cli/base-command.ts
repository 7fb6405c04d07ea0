/**
 * What every command shares: the repo's folder, JSON on stdout, errors rendered once, Ctrl-C as a signal. Commands
 * parse flags, call one method of the SDK and print; they decide nothing.
 */
import * as Flags from '@oclif/core/flags'
import type * as Interfaces from '@oclif/core/interfaces'
import {Command} from '@oclif/core/command'
import {ExitError} from '@oclif/core/errors'
import {resolve} from 'node:path'
import {FeatureStoreError} from '../errors.js'
import type {FeatureStore} from '../feature-store.js'
import type {Instant} from '../definitions/instant.js'
import {errorDocument, renderError} from './render-error.js'
import {usageErrorOf} from './usage-error.js'
import {stringifyJson} from './json.js'

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    chdir: Flags.directory({
      char: 'C',
      summary: 'Work in this feature repo instead of the current folder.',
      helpGroup: 'GLOBAL',
      helpValue: 'DIR',
    }),
  }

  /** The feature repo to work in, absolute. */
  protected repoDirectory(flags: {readonly chdir?: string | undefined}): string {
    return resolve(flags.chdir ?? '.')
  }

  /** Opens the repo for the length of `use`, and closes it whatever happens. */
  protected async withStore<T>(
    flags: {readonly chdir?: string | undefined; readonly now?: Instant | undefined},
    use: (store: FeatureStore) => Promise<T>,
  ): Promise<T> {
    const {FeatureStore: Opener} = await import('../feature-store.js')
    const {now} = flags
    const store = await Opener.open(this.repoDirectory(flags), now === undefined ? {} : {now: () => now})
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  }

  /** Runs `work` with a signal that the first Ctrl-C or SIGTERM aborts; a second one ends the process at once. */
  protected async withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const stop = (signal: NodeJS.Signals): void => {
      if (controller.signal.aborted) process.exit(130)
      this.logToStderr(`${signal}: stopping (again to stop at once)`)
      controller.abort(new FeatureStoreError('FS_INTERRUPTED', 'Stopped by the user'))
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    try {
      return await work(controller.signal)
    } finally {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    }
  }

  /** One document, int64 as exact integer literals. */
  public override logJson(document: unknown): void {
    process.stdout.write(`${stringifyJson(document)}\n`)
  }

  protected override toErrorJson(error: unknown): unknown {
    return errorDocument(error)
  }

  protected override async catch(error: Interfaces.CommandError): Promise<unknown> {
    if (isClosedPipe(error)) return undefined
    if (error instanceof ExitError) throw error
    const flags = Object.keys({...this.ctor.baseFlags, ...this.ctor.flags})
    const told = usageErrorOf(error, {id: this.ctor.id, bin: this.config.bin, flags}) ?? error
    if (!(told instanceof FeatureStoreError)) return super.catch(error)
    if (this.jsonEnabled()) this.logJson(errorDocument(told))
    else this.logToStderr(renderError(told))
    process.exitCode = told.code === 'FS_INTERRUPTED' ? 130 : error instanceof FeatureStoreError ? 1 : 2
    return undefined
  }
}

/** `fs … | head` closes our output early: that is no failure. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
