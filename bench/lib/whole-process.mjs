// Whole processes, timed from outside: start-up included, output thrown away.
import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'

export const fsBin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Seconds from start to exit. Throws when the command fails: a failure is no measurement. */
export function timeProcess(args, options = {}) {
  const start = performance.now()
  const done = spawnSync(process.execPath, args, {stdio: ['ignore', 'ignore', 'pipe'], ...options})
  const seconds = (performance.now() - start) / 1000
  if (done.status !== 0) throw new Error(`node ${args.join(' ')} exited with ${done.status}\n${done.stderr}`)
  return seconds
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median seconds of each command, run in turn so that a slow moment of the machine meets them all. */
export function timeInTurn(commands, runs) {
  const seconds = commands.map(() => [])
  for (let run = -1; run < runs; run += 1) {
    commands.forEach((command, index) => {
      const taken = timeProcess(command)
      // The first round only warms the disk's cache.
      if (run >= 0) seconds[index].push(taken)
    })
  }
  return seconds.map(median)
}
