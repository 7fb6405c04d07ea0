/**
 * Who may load a view: a lease in the view's state, with an expiry that its holder puts off while it lives. A holder
 * that is known to be dead, or whose lease ran out, is taken over from.
 */
import {formatInstant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import type {BegunSync, Lease, RegistryDocument, ViewState} from '../registry/registry.js'
import {closeRun} from './close-run.js'
import type {MaterializationContext} from './materialization-options.js'

/** How long a lease holds without a sign of life, in microseconds. */
export const leaseDuration = 60_000_000n

type LeaseContext = Pick<MaterializationContext, 'runId' | 'process' | 'clock' | 'isAlive'>

/** Who else holds the view now, if anybody does. */
export function holderOf(state: ViewState, context: LeaseContext): Lease | undefined {
  const {lease} = state
  return lease !== undefined && lease.runId !== context.runId && isHeld(lease, context) ? lease : undefined
}

/** A lease that expired, or whose process is surely gone, holds nothing any more. */
export function isHeld(lease: Lease, context: Pick<LeaseContext, 'clock' | 'isAlive'>): boolean {
  return lease.expiresAt > context.clock() && context.isAlive(lease.holder) !== false
}

/**
 * The document with those of the views leased that are free; a run that they were taken over from is closed. The very
 * same document when there is nothing to take.
 */
export function takeLeases(
  document: RegistryDocument,
  names: readonly string[],
  context: LeaseContext,
): RegistryDocument {
  const since = context.clock()
  const lease: Lease = {
    runId: context.runId,
    holder: context.process,
    since,
    expiresAt: since + leaseDuration,
  }
  return names.reduce((current, name) => {
    const state = current.views[name]
    const holdsIt = state?.lease?.runId === context.runId
    if (state === undefined || holdsIt || holderOf(state, context) !== undefined) return current
    return {
      ...current,
      views: {...current.views, [name]: {...state, lease}},
      runs: state.lease === undefined ? current.runs : closeRun(current.runs, state.lease.runId, since),
    }
  }, document)
}

/** The document with this run's leases put off; the very same document when it has none. */
export function renewLeases(document: RegistryDocument, context: LeaseContext): RegistryDocument {
  const expiresAt = context.clock() + leaseDuration
  return changeHeld(document, context.runId, (state, lease) => ({...state, lease: {...lease, expiresAt}}))
}

/** The document with this run's leases given back; `change` says what else is known of those views. */
export function releaseLeases(
  document: RegistryDocument,
  runId: string,
  change: (state: ViewState) => ViewState,
): RegistryDocument {
  return changeHeld(document, runId, (state) => change(withoutLease(state, runId)))
}

/** A view's state without this run's lease: the run writes to it no more. */
export function withoutLease(state: ViewState, runId: string): ViewState {
  const {lease, replacement, ...rest} = state
  return {
    ...withEnded(rest, runId),
    ...(lease === undefined || lease.runId === runId ? {} : {lease}),
    ...(replacement === undefined ? {} : {replacement: withEnded(replacement, runId)}),
  }
}

function withEnded<T extends {readonly begunSyncs?: readonly BegunSync[]}>(state: T, runId: string): T {
  const {begunSyncs} = state
  return begunSyncs === undefined
    ? state
    : {...state, begunSyncs: begunSyncs.map((one) => endedBy(one, runId))}
}

function endedBy(sync: BegunSync, runId: string): BegunSync {
  const {holder: _holder, ...ended} = sync
  return sync.runId === runId ? ended : sync
}

/** Another run is loading the view. */
export function viewBusy({runId, holder, since}: Lease): FeatureStoreError {
  return new FeatureStoreError(
    'FS_VIEW_BUSY',
    `Run ${runId} is loading it: process ${holder.pid} on ${holder.host}, since ${formatInstant(since)}.`,
    {hint: `Wait for it with \`--wait 5m\`, or look at it with \`fs runs show ${runId}\`.`},
  )
}

/** Another run took the view over. */
export function leaseLost(): FeatureStoreError {
  return new FeatureStoreError(
    'FS_LEASE_LOST',
    'Another run took the view over while this one loaded it. What was written stays, and the next run makes up for the rest.',
    {hint: 'Run it again. A machine that sleeps for a minute looks dead to others.'},
  )
}

function changeHeld(
  document: RegistryDocument,
  runId: string,
  change: (state: ViewState, lease: Lease) => ViewState,
): RegistryDocument {
  const held = Object.entries(document.views).flatMap(([name, state]) =>
    state.lease?.runId === runId ? [[name, change(state, state.lease)] as const] : [],
  )
  if (held.length === 0) return document
  return {...document, views: {...document.views, ...Object.fromEntries(held)}}
}
