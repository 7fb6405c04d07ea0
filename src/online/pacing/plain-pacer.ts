import {LoadPacer} from './load-pacer.js'
import {staticPacing} from './static-pacing.js'
import type {WritePacer} from './write-pacer.js'

const requestsInFlight = 128
const patienceMillis = 30_000

/** For a write that is no load: a moderate number of requests at once, and no more than half a minute for each. */
export function plainPacer(): WritePacer {
  return new LoadPacer({policy: staticPacing({maxConcurrency: requestsInFlight}), patienceMillis})
}
