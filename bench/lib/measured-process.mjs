// A process whose work is timed by itself, and whose memory, with that of all its descendants, is watched from outside.
import {spawn} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import {createInterface} from 'node:readline'

const sampleMillis = 50

/**
 * Runs a command that prints a line of JSON when its work is done, and then waits for a line on its standard input before
 * it does anything else. Returns what it printed with `peakMegabytes`, the most memory that it had until then.
 */
export async function measureProcess(command, args, options = {}) {
  const child = spawn(command, args, {stdio: 'pipe', ...options})
  const exit = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
  child.stdin.on('error', () => undefined)
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, treeKilobytes(child.pid))), sampleMillis)
  let result
  for await (const line of createInterface({input: child.stdout})) {
    if (!line.startsWith('{')) continue
    clearInterval(timer)
    // The kernel's own mark misses no moment, but knows one process only.
    const peak = Math.max(most, treeKilobytes(child.pid), kilobytes(child.pid, 'VmHWM'))
    result = {...JSON.parse(line), peakMegabytes: peak / 1024}
    child.stdin.end('\n')
  }
  const status = await exit
  clearInterval(timer)
  if (status !== 0 || result === undefined)
    throw new Error(`${[command, ...args].join(' ')} exited with ${status}\n${said}`)
  return result
}

function treeKilobytes(pid) {
  return kilobytes(pid, 'VmRSS') + childrenOf(pid).reduce((sum, child) => sum + treeKilobytes(child), 0)
}

/** See proc_pid_status(5). 0 for a process that is gone. */
function kilobytes(pid, field) {
  const status = ifThere(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)
}

function childrenOf(pid) {
  const threads = ifThere(() => readdirSync(`/proc/${pid}/task`)) ?? []
  return threads.flatMap((thread) => {
    const children = ifThere(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? ''
    return children.split(' ').filter(Boolean).map(Number)
  })
}

/** Processes and threads end while they are looked at. */
function ifThere(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}
