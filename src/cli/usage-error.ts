import {CLIError} from '@oclif/core/errors'
import {didYouMean} from '../definitions/nearest-name.js'
import {FeatureStoreError} from '../errors.js'

/** What oclif's parser adds around the message of a flag that can't be read. */
const flagWrapper = /^Parsing (--\S+) \n\t([^]*?)\nSee more help with --help$/

/**
 * A wrong command line, told as every other error: the parser's own complaints, and those of our flags and arguments,
 * which it passes on. Undefined for anything else.
 */
export function usageErrorOf(
  error: unknown,
  command: {readonly id: string; readonly bin: string; readonly flags: readonly string[]},
): FeatureStoreError | undefined {
  const name = `${command.bin} ${command.id.replaceAll(':', ' ')}`
  if (error instanceof FeatureStoreError) {
    const wrapped = flagWrapper.exec(error.message)
    if (wrapped === null) return undefined
    const [, flag = '', message = ''] = wrapped
    return new FeatureStoreError(error.code, `${flag}: ${message}`, {hint: error.hint, cause: error})
  }
  // What oclif's own flags can't read has the wrapper and nothing else to tell it by.
  if (!(error instanceof CLIError) || !('parse' in error || flagWrapper.test(error.message))) return undefined
  const message = error.message
    .replace(flagWrapper, '$1: $2')
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\n\s*/, '')
    .trim()
  return new FeatureStoreError('FS_ARGUMENT_INVALID', message.replace(/([^.:!?])$/, '$1.'), {
    hint: meantFlag(error, command.flags) ?? `Run \`${name} --help\`.`,
    cause: error,
  })
}

function meantFlag(error: object, known: readonly string[]): string | undefined {
  const unknown = 'flags' in error && Array.isArray(error.flags) ? (error.flags as unknown[])[0] : undefined
  if (typeof unknown !== 'string') return undefined
  return didYouMean(
    unknown,
    known.map((flag) => `--${flag}`),
  )
}
