/**
 * Which process holds a lock or a lease, told so exactly that a dead holder is recognised at once and a living one is
 * never taken for dead.
 */
import {createHash} from 'node:crypto'
import {readFileSync, readlinkSync} from 'node:fs'
import {hostname} from 'node:os'
// The one file that needs the real process: an identity that is passed in could not be checked against the machine.
import {kill, pid} from 'node:process'
import type {ProcessIdentity} from './registry.js'

/** The inode of the first pid namespace; it is a constant of Linux (`PROC_PID_INIT_INO`). */
const firstPidNamespace = 'pid:[4026531836]'

/**
 * This process. What the system does not say (boot and start time outside Linux) is empty. Machines that share a
 * registry may share a name, and a container's pids mean nothing outside it: so the machine's id, shortened, and the pid
 * namespace are part of `host`.
 */
export function readProcessIdentity(): ProcessIdentity {
  const namespace = tryRead(() => readlinkSync('/proc/self/ns/pid'))
  const foreign = namespace === undefined || namespace === firstPidNamespace ? '' : ` ${namespace}`
  return {
    host: `${hostname()}${machineMark()}${foreign}`,
    pid,
    bootId: tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? '',
    startedAt: readStat(pid)?.startedAt ?? '',
  }
}

/**
 * False when the process is surely gone (same host, and another boot, no such pid, or a pid that was given away again);
 * true when it surely runs; `undefined` when this process, `self`, cannot tell.
 */
export function isAlive(identity: ProcessIdentity, self: ProcessIdentity): boolean | undefined {
  if (identity.host !== self.host) return undefined
  if (identity.bootId !== '' && self.bootId !== '' && identity.bootId !== self.bootId) return false
  if (!Number.isSafeInteger(identity.pid) || identity.pid <= 0) return undefined
  if (!pidExists(identity.pid)) return false
  const stat = readStat(identity.pid)
  if (stat === undefined || identity.startedAt === '') return undefined
  // A zombie was killed and only waits for its parent to notice.
  return stat.startedAt === identity.startedAt && stat.state !== 'Z' && stat.state !== 'X'
}

/** See machine-id(5), which asks not to show the id itself; empty where there is none. */
function machineMark(): string {
  const id = tryRead(() => readFileSync('/etc/machine-id', 'utf8').trim()) ?? ''
  if (id === '' || id === 'uninitialized') return ''
  return ` ${createHash('sha256').update(`feature-repo ${id}`).digest('hex').slice(0, 8)}`
}

function pidExists(wanted: number): boolean {
  try {
    kill(wanted, 0)
    return true
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** See proc_pid_stat(5): the command, field 2, stands in parentheses and may hold anything, so fields count from its end. */
function readStat(of: number): {readonly state: string; readonly startedAt: string} | undefined {
  const text = tryRead(() => readFileSync(`/proc/${of}/stat`, 'utf8'))
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields?.[0]
  const startedAt = fields?.[19]
  return state === undefined || startedAt === undefined ? undefined : {state, startedAt}
}

function tryRead(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
