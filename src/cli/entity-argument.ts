import {parse, type LosslessNumber} from 'lossless-json'
import {FeatureStoreError} from '../errors.js'

/**
 * `--entity` arguments as entity rows of text. Each is `key=value`, or several separated by commas, or a JSON object;
 * values of one key given several times are several rows: `--entity id=1 --entity id=2` is two rows, and
 * `--entity a=1 --entity b=2` is one row with two keys.
 */
export function parseEntityArguments(args: readonly string[]): Readonly<Record<string, string | null>>[] {
  const columns = new Map<string, (string | null)[]>()
  for (const arg of args) {
    for (const [key, value] of readPairs(arg)) {
      const column = columns.get(key)
      if (column === undefined) columns.set(key, [value])
      else column.push(value)
    }
  }
  const counts = [...columns].map(([key, values]) => `${key}: ${values.length}`)
  const rowCount = Math.max(0, ...[...columns.values()].map((values) => values.length))
  if ([...columns.values()].some((values) => values.length !== rowCount)) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `The --entity arguments give unequal numbers of values (${counts.join(', ')}). Expected one of each key per row.`,
      {hint: 'Write one row as --entity key1=value1,key2=value2.'},
    )
  }
  return Array.from({length: rowCount}, (_, row) =>
    Object.fromEntries([...columns].map(([key, values]) => [key, values[row] ?? null])),
  )
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
