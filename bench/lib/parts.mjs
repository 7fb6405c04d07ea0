// Parts of a benchmark that each run in a process of their own, so that a part's peak of memory is its own.
import {spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'

/** Runs one part of a benchmark file in a process of its own; returns what it measured, with its peak of memory. */
export function inProcess(file, name, ...args) {
  const done = spawnSync(process.execPath, [file, name, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (done.status !== 0) throw new Error(`${name} exited with ${done.status}`)
  return JSON.parse(done.stdout)
}

/** See proc_pid_status(5): the most memory that this process had at once. */
export function peakMegabytes() {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

/** A row of the table of results. */
export function row(...cells) {
  console.log(`| ${cells.join(' | ')} |`)
}

export function count(value) {
  return value.toLocaleString('en-US')
}

/** The value that such a share of all is not above. */
export function quantile(values, share) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * share)]
}

/** Lends a connection to a database in memory. */
export async function withDuckDb(use) {
  const {DuckDBInstance} = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return await use(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
