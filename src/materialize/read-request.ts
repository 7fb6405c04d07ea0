import {formatInstant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import type {MaterializationOptions} from './materialization-options.js'
import type {LoadRequest} from './plan-load.js'

/**
 * What is to be loaded, and what the user should know of it. An end after now is cut: rows of the time to come are not
 * there yet, and counted as loaded they never would be.
 */
export function readRequest(options: Pick<MaterializationOptions, 'command' | 'start' | 'end' | 'now'>): {
  readonly request: LoadRequest
  readonly notes: readonly string[]
} {
  const now = options.now()
  const wanted = options.end ?? now
  const end = wanted > now ? now : wanted
  const notes =
    wanted > now ? [`END ${formatInstant(wanted)} is in the future and was cut to ${formatInstant(now)}`] : []
  if (options.command === 'materialize-incremental') return {request: {command: options.command, end}, notes}
  const start = options.start ?? null
  if (start !== null && start >= end) {
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `START ${formatInstant(start)} is not before END ${formatInstant(end)}${wanted > now ? ', which was cut to now' : ''}.`,
      {hint: 'Give an END after START and not after now: rows of (START, END] are loaded.'},
    )
  }
  return {request: {command: options.command, interval: {start, end}}, notes}
}
