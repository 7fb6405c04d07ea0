import {parse, type LosslessNumber} from 'lossless-json'
import {FeatureStoreError} from '../errors.js'

/** `--entity` arguments as entity rows of text, each one row: `key=value`, several separated by commas, or a JSON object. */
export function parseEntityArguments(args: readonly string[]): Readonly<Record<string, string | null>>[] {
  return args.map((arg) => {
    const pairs = readPairs(arg)
    const twice = pairs.find(([key], index) => pairs.findIndex(([other]) => other === key) !== index)
    if (twice !== undefined) {
      throw new FeatureStoreError('FS_ARGUMENT_INVALID', `--entity ${arg}: \`${twice[0]}\` is given twice.`, {
        hint: 'Give each row an --entity of its own.',
      })
    }
    return Object.fromEntries(pairs)
  })
}

function readPairs(arg: string): [string, string | null][] {
  if (arg.trimStart().startsWith('{')) return readJson(arg)
  // A comma separates pairs only where a new `key=` follows: values may hold commas.
  return arg.split(/,(?=[A-Za-z_]\w*=)/).map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw wrongForm(arg)
    return [pair.slice(0, equals), pair.slice(equals + 1)]
  })
}

function readJson(arg: string): [string, string | null][] {
  let parsed: unknown
  try {
    parsed = parse(arg)
  } catch (error) {
    throw wrongForm(arg, error)
  }
  return Object.entries(parsed as Record<string, unknown>).map(([key, value]) => {
    if (value === null) return [key, null]
    if (typeof value === 'string' || typeof value === 'boolean') return [key, String(value)]
    if (isNumber(value)) return [key, value.toString()]
    throw wrongForm(arg)
  })
}

function isNumber(value: unknown): value is LosslessNumber {
  return typeof value === 'object' && value !== null && 'isLosslessNumber' in value
}

function wrongForm(arg: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    `--entity ${arg}: expected KEY=VALUE[,KEY=VALUE…] or a JSON object of scalar values.`,
    {hint: 'Write, for example, --entity driver_id=1001.', cause},
  )
}
