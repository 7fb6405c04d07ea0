/** Flags and arguments that several commands share, with their texts: one wording for one thing. */
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {parseDuration, type Duration} from '../definitions/duration.js'
import {parseInstant, type Instant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'

const instantForm = 'a UTC time such as 2024-05-01 or 2024-05-01T12:30:00Z'

/** An instant as an argument. */
export const instantArg = Args.custom<Instant>({
  parse: (text) => Promise.resolve(readInstant(text)),
})

/** An instant as a flag. */
export const instantFlag = Flags.custom<Instant>({
  parse: (text) => Promise.resolve(readInstant(text)),
  helpValue: 'TIME',
})

/** A duration as a flag. */
export const durationFlag = Flags.custom<Duration>({
  parse: (text) => Promise.resolve(readDuration(text)),
  helpValue: 'DURATION',
})

export const nowFlag = {
  now: instantFlag({
    summary: 'Take this as the current time (UTC): for reproducible runs, backfills and tests.',
    helpGroup: 'GLOBAL',
  }),
}

/** What `materialize` and `materialize-incremental` have in common. */
export const loadFlags = {
  ...nowFlag,
  view: Flags.string({
    multiple: true,
    summary: 'Load only this feature view; may be given several times.',
    helpValue: 'VIEW',
  }),
  parallel: Flags.integer({min: 1, summary: 'Load this many views side by side.', helpValue: 'N'}),
  wait: durationFlag({
    summary: 'Wait this long for a view that another run is loading (90s, 15m, …). By default not at all.',
  }),
  'max-rejects': Flags.integer({
    min: 0,
    default: 0,
    summary: 'Succeed although up to this many rows of a view could not be written.',
    helpValue: 'N',
  }),
  quiet: Flags.boolean({char: 'q', summary: 'Print only what went wrong.'}),
}

/** Which features to read. */
export const featureFlags = {
  features: Flags.string({
    multiple: true,
    delimiter: ',',
    exclusive: ['feature-service'],
    summary: 'Features as VIEW:FEATURE, separated by commas; VIEW alone for all of a view.',
    helpValue: 'VIEW:FEATURE,…',
  }),
  'feature-service': Flags.string({
    summary: 'The feature service whose features to read.',
    helpValue: 'SERVICE',
  }),
  'full-feature-names': Flags.boolean({summary: 'Name features VIEW__FEATURE.'}),
}

/** The feature selection of the SDK from `featureFlags`. */
export function featureSelection(flags: {
  readonly features?: readonly string[] | undefined
  readonly 'feature-service'?: string | undefined
  readonly 'full-feature-names': boolean
}): {features?: readonly string[]; featureService?: string; fullFeatureNames: boolean} {
  return {
    ...(flags.features === undefined ? {} : {features: flags.features.map((one) => one.trim())}),
    ...(flags['feature-service'] === undefined ? {} : {featureService: flags['feature-service']}),
    fullFeatureNames: flags['full-feature-names'],
  }
}

function readInstant(text: string): Instant {
  const instant = parseInstant(text)
  if (instant !== undefined) return instant
  throw new FeatureStoreError('FS_ARGUMENT_INVALID', `\`${text}\` is no time. Expected ${instantForm}.`, {
    hint: 'Write the time as ISO 8601; without a zone it is UTC.',
  })
}

function readDuration(text: string): Duration {
  const duration = parseDuration(text)
  if (duration !== undefined) return duration
  throw new FeatureStoreError(
    'FS_ARGUMENT_INVALID',
    `\`${text}\` is no duration. Expected a number with a unit: 90s, 15m, 2h, 1d, 2w.`,
    {hint: 'Write, for example, 30s.'},
  )
}
