import {setInterval} from 'node:timers/promises'
import type {RunRecord} from '../registry/registry.js'
import {chooseViews} from './choose-views.js'
import type {MaterializationOptions, MaterializeProgress} from './materialization-options.js'
import {MaterializationRun} from './materialization-run.js'
import {readRequest} from './read-request.js'
import {SourcePins} from './source-pins.js'
import {StoreWriter} from './store-writer.js'
import {leaseDuration} from './view-lease.js'

export type {MaterializationOptions, MaterializeProgress} from './materialization-options.js'

const heartbeatMillis = Number(leaseDuration / 4000n)

/**
 * Loads views side by side and returns the run's record when all is settled; its status says whether every view was
 * loaded. A view that fails does not stop the others, and may be loaded again at any time. Throws, before anything is
 * loaded, when the request makes no sense, and when the registry fails.
 */
export async function runMaterialization(options: MaterializationOptions): Promise<RunRecord> {
  const {request, notes} = readRequest(options)
  const {document} = await options.registry.read()
  const names = chooseViews(options.views, document).map((view) => view.name)
  const runId = options.newRunId()
  const progressOf = new Map<string, MaterializeProgress>()
  const onProgress = (event: MaterializeProgress): void => {
    progressOf.set(event.view, event)
    options.onProgress?.(event)
  }
  await using writer = new StoreWriter({
    ...options,
    runId,
    onWait: (waitingFor) => {
      for (const view of names) onProgress({view, phase: 'waiting', rows: 0, waitingFor})
    },
    onStall: (storeFailure, views) => {
      for (const view of views) {
        const {rows = 0, approximateTotal} = progressOf.get(view) ?? {}
        const total = approximateTotal === undefined ? {} : {approximateTotal}
        onProgress({view, phase: 'waiting', rows, ...total, storeFailure})
      }
    },
  })
  const run = new MaterializationRun(names, {
    options: {...options, onProgress, runId, writer, pins: new SourcePins()},
    request,
    notes,
  })
  const queue = [...(await run.start())]

  const loaded = new AbortController()
  const heartbeat = beat(run, loaded.signal)
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift())
      await run.load(name).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({length: Math.max(1, options.parallel)}, work))
  loaded.abort()
  await heartbeat
  const record = await run.finish()
  // Not before all else is done: nobody else would give back the leases.
  if (failures.length > 0) throw failures[0]
  return record
}

/** Shows that the run lives until it has loaded all. */
async function beat(run: MaterializationRun, loaded: AbortSignal): Promise<void> {
  try {
    for await (const _tick of setInterval(heartbeatMillis, undefined, {signal: loaded})) await run.heartbeat()
  } catch (error) {
    if (!loaded.aborted) throw error
  }
}
