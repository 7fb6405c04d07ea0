import {setTimeout as sleep} from 'node:timers/promises'
import {FeatureStoreError} from '../errors.js'
import type {Registry, RegistryDocument, RegistrySnapshot, RunRecord} from './registry.js'

const defaultAttempts = 60
const firstDelayMillis = 5
const longestDelayMillis = 200

const keptRuns = 100
const keptWhileRunning = 500
const keptViewRuns = 2000

/**
 * Reads, changes and commits, again from the start when another process was faster, so that no update is lost.
 * `change` is a pure function; it may run several times, and what it throws ends the update. Returning the very
 * document it was given means that there is nothing to commit. `random` gives numbers in [0, 1), as Math.random.
 */
export async function updateRegistry(
  registry: Registry,
  change: (document: RegistryDocument) => RegistryDocument,
  options: {readonly attempts?: number; readonly random?: () => number} = {},
): Promise<RegistrySnapshot> {
  const {attempts = defaultAttempts, random = Math.random} = options
  for (let attempt = 1; ; attempt += 1) {
    const snapshot = await registry.read()
    const changed = change(snapshot.document)
    if (changed === snapshot.document) return snapshot
    try {
      return await registry.commit(changed, snapshot.revision)
    } catch (error) {
      if (!(error instanceof FeatureStoreError) || error.code !== 'FS_REGISTRY_CONFLICT') throw error
      if (attempt >= attempts) throw error
    }
    // Full jitter: writers that met once should not meet again.
    await sleep(random() * Math.min(longestDelayMillis, firstDelayMillis * 2 ** attempt))
  }
}

/**
 * The document with a run added, or replaced when its id is known. Newest first; beyond 100 runs, or 2,000 views in
 * all of them, the oldest are forgotten, but for this one and those that go on.
 */
export function recordRun(document: RegistryDocument, run: RunRecord): RegistryDocument {
  const runs = [run, ...document.runs.filter((one) => one.id !== run.id)].sort(newestFirst)
  let views = 0
  const kept = runs.filter((one, index) => {
    views += one.views.length
    if (index < keptRuns && views <= keptViewRuns) return true
    // What goes on, or has just ended, is looked for by its id; what was killed elsewhere seems to go on for ever.
    return one.id === run.id || (one.status === 'running' && index < keptWhileRunning)
  })
  return {...document, runs: kept}
}

function newestFirst(a: RunRecord, b: RunRecord): number {
  if (a.startedAt !== b.startedAt) return a.startedAt > b.startedAt ? -1 : 1
  return a.id > b.id ? -1 : a.id < b.id ? 1 : 0
}
