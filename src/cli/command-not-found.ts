import type {Hook} from '@oclif/core/hooks'
import {errorDocument, renderError} from './render-error.js'
import {stringifyJson} from './json.js'
import {didYouMean} from '../definitions/nearest-name.js'
import {FeatureStoreError} from '../errors.js'

/** What oclif asks when it finds no command: it has joined all leading words to one id, `plan:extra`. */
const commandNotFound: Hook.CommandNotFound = ({id, argv = [], config}) => {
  const words = id.split(':')
  const known = config.commandIDs
  const parent = words
    .map((_, end) => words.slice(0, words.length - end).join(':'))
    .find((prefix) => known.includes(prefix))
  const shown = words.join(' ')
  const error =
    parent === undefined
      ? new FeatureStoreError('FS_ARGUMENT_INVALID', `There is no command \`${shown}\`.`, {
          hint: shown.startsWith('-')
            ? `Options come after the command: \`${config.bin} COMMAND ${shown} …\`.`
            : (didYouMean(
                shown,
                known.map((one) => one.replaceAll(':', ' ')),
              ) ?? `Run \`${config.bin} --help\` for all commands.`),
        })
      : new FeatureStoreError(
          'FS_ARGUMENT_INVALID',
          `\`${config.bin} ${parent.replaceAll(':', ' ')}\` takes no argument \`${words.slice(parent.split(':').length).join(' ')}\`.`,
          {hint: `Run \`${config.bin} ${parent.replaceAll(':', ' ')} --help\`.`},
        )
  if ([...argv, ...process.argv].includes('--json'))
    process.stdout.write(`${stringifyJson(errorDocument(error))}\n`)
  else process.stderr.write(`${renderError(error)}\n`)
  process.exitCode = 2
  return Promise.resolve()
}

export default commandNotFound
