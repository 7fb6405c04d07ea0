import type {Instant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import {chooseViews} from '../materialize/choose-views.js'
import {watermarkOf} from '../materialize/plan-load.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {OnlineStore} from '../online/online-store.js'
import type {Lease, Registry} from '../registry/registry.js'
import {PacedReader} from './paced-reader.js'
import type {Verification, ViewVerification, VerifyProgress} from './verification.js'
import {VerificationTally} from './verification-tally.js'
import {verifyView, type LoadedView, type VerifyContext} from './verify-view.js'

export interface VerificationOptions {
  /** Names of views; all that are online by default. */
  readonly views?: readonly string[] | undefined
  /** Keys of each view to check, and which ones; absent: every key. */
  readonly sample?: {readonly size: number; readonly seed: bigint} | undefined
  /** Keys read from the online store in a second, at most. */
  readonly maxReadsPerSecond: number
  /** Differences of each kind to show of a view. */
  readonly examplesOfKind: number
  readonly registry: Pick<Registry, 'read'>
  readonly openOfflineStore: () => Promise<OfflineStore>
  readonly openOnlineStore: () => Promise<OnlineStore>
  /** Whether a run holds the view with this lease. */
  readonly isHeld: (lease: Lease) => boolean
  /** What `now` means for the data. */
  readonly now: () => Instant
  /** The machine's clock, by which reads are spread. */
  readonly clock: () => Instant
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: VerifyProgress) => void) | undefined
}

/**
 * Compares what is online with the source, view after view (`verification.ts` says what that means). It writes nothing,
 * takes no lease and may run at any time. A view that fails does not stop the others. Throws when the request makes no
 * sense, when a store can't be opened, and the signal's reason.
 */
export async function verifyViews(options: VerificationOptions): Promise<Verification> {
  const {registry, maxReadsPerSecond, clock, signal} = options
  const {document} = await registry.read()
  const chosen = chooseViews(options.views, document, 'verify')
  const views: ViewVerification[] = []
  let context: VerifyContext | undefined
  for (const view of chosen) {
    signal?.throwIfAborted()
    const state = document.views[view.name]
    const watermark = state === undefined ? undefined : watermarkOf(state)
    if (state === undefined || watermark === undefined) {
      views.push(notLoaded(view.name))
      continue
    }
    if (context === undefined) {
      const online = await options.openOnlineStore()
      const reader = new PacedReader({online, maxReadsPerSecond, clock, signal})
      context = {...options, offline: await options.openOfflineStore(), online, reader}
    }
    views.push(await verifyLoaded({view, state, watermark, document}, context, options))
  }
  return {
    views,
    differences: views.reduce((sum, {missing, extra, different}) => sum + missing + extra + different, 0),
  }
}

async function verifyLoaded(
  loaded: LoadedView,
  context: VerifyContext,
  {examplesOfKind, isHeld, signal, onProgress}: VerificationOptions,
): Promise<ViewVerification> {
  const {view, state, watermark: asOf} = loaded
  const {name} = view
  const tally = new VerificationTally(examplesOfKind)
  if (state.lease !== undefined && isHeld(state.lease))
    tally.notes.push(`run ${state.lease.runId} was loading it when this began`)
  let error: ViewVerification['error']
  try {
    await verifyView(loaded, context, tally)
  } catch (failure) {
    signal?.throwIfAborted()
    if (!(failure instanceof FeatureStoreError)) throw failure
    const {code, message, hint} = failure
    error = {code, message, ...(hint === undefined ? {} : {hint})}
  }
  onProgress?.({view: name, phase: error === undefined ? 'done' : 'failed', rows: tally.checked})
  return tally.toViewVerification(name, {
    status: error === undefined ? 'checked' : 'failed',
    asOf,
    ...(error === undefined ? {} : {error}),
  })
}

function notLoaded(name: string): ViewVerification {
  const tally = new VerificationTally(0)
  tally.notes.push('nothing of it is loaded yet; `fs materialize-incremental` does it')
  return tally.toViewVerification(name, {status: 'not_loaded', asOf: undefined})
}
