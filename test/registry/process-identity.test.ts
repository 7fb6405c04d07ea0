import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, readFileSync} from 'node:fs'
import {hostname} from 'node:os'
import {describe, expect, it} from 'vitest'
import {isAlive, readProcessIdentity} from '../../src/registry/process-identity.js'
import type {ProcessIdentity} from '../../src/registry/registry.js'

const self = readProcessIdentity()
const isLinux = existsSync('/proc/self/stat')

describe('process identity', () => {
  it('knows itself', () => {
    expect(self.pid).toBe(process.pid)
    expect(readProcessIdentity()).toEqual(self)
    expect(isAlive(self, self)).toBe(isLinux ? true : undefined)
  })

  it('knows that a process of this host has ended', async () => {
    const child = spawn(process.execPath, ['-e', '0'])
    const identity: ProcessIdentity = {...self, pid: child.pid!, startedAt: ''}
    await once(child, 'exit')
    expect(isAlive(identity, self)).toBe(false)
  })

  it('sees through a killed process whose parent does not look', async () => {
    // The shell starts a process, becomes one that waits for nothing, and leaves a zombie.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 30'])
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    const stateOf = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2]!
    while (isLinux && stateOf() !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5))
    const startedAt = isLinux ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]! : ''
    expect(isAlive({...self, pid, startedAt}, self)).not.toBe(true)
    parent.kill('SIGKILL')
  })

  it('knows a reused pid and another boot', () => {
    expect(isAlive({...self, startedAt: '1'}, {...self})).toBe(isLinux ? false : undefined)
    expect(isAlive({...self, bootId: 'another'}, {...self, bootId: 'this'})).toBe(false)
  })

  it('can not tell of another host, nor without a start time', () => {
    expect(isAlive({...self, host: 'far-away'}, self)).toBeUndefined()
    // Another machine of the same name.
    expect(self.host.startsWith(hostname())).toBe(true)
    expect(isAlive({...self, host: `${hostname()} 0badcafe`, bootId: 'another'}, self)).toBeUndefined()
    expect(isAlive({...self, startedAt: ''}, self)).toBeUndefined()
    expect(isAlive({...self, pid: 0}, self)).toBeUndefined()
  })
})
