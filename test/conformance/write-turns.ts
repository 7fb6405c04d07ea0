/** What a store that is a server promises to several runs at once, each a process of its own with a registry of its own. */
import {spawn, type ChildProcess} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {WritePlace, type PlaceRequest} from '../../src/materialize/write-places.js'
import type {SharedNote} from '../../src/online/shared-note.js'
import {fsBin, runFs} from '../support/run-fs.js'
import {UniformRepo} from '../support/uniform-repo.js'

export interface WriteTurnsFixture extends AsyncDisposable {
  /** The store's block of feature_store.yaml, and the same with what makes a load of so many rows last a minute. */
  readonly settings: object
  readonly slowSettings: object
  readonly drivers: number
  readonly note: SharedNote
}

const waitMillis = 60_000

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  /** What it told on stderr so far. */
  said(): string
}

export function describeWriteTurns(name: string, open: () => Promise<WriteTurnsFixture>): void {
  describe(`runs that write to one ${name}`, () => {
    let fixture: WriteTurnsFixture
    const cleanUps: (() => PromiseLike<void> | void)[] = []
    beforeEach(async () => {
      fixture = await open()
      cleanUps.push(() => fixture[Symbol.asyncDispose]())
    })
    afterEach(async () => {
      for (let next = cleanUps.pop(); next !== undefined; next = cleanUps.pop()) await next()
    })

    /** A repo that knows one version of all rows. */
    async function repoOf(version: number, settings: object): Promise<UniformRepo> {
      const repo = new UniformRepo(JSON.stringify(settings), fixture.drivers)
      cleanUps.push(() => repo[Symbol.dispose]())
      await repo.writeVersion(version)
      expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
      return repo
    }

    function startRun({folder}: UniformRepo): Run {
      const child = spawn(process.execPath, [fsBin, 'materialize-incremental', '-C', folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
      cleanUps.push(async () => {
        child.kill('SIGKILL')
        await ended
      })
      return {child, ended, said: () => said}
    }

    async function holders(): Promise<readonly number[]> {
      const {text} = await fixture.note.read()
      if (text === undefined) return []
      const {held} = JSON.parse(text) as {
        readonly held: readonly {readonly process: {readonly pid: number}}[]
      }
      return held.map(({process: {pid}}) => pid)
    }

    async function until(isSo: () => Promise<boolean>): Promise<void> {
      const deadline = performance.now() + waitMillis
      while (!(await isSo())) {
        if (performance.now() > deadline) throw new Error('it never came to be')
        await sleep(50)
      }
    }

    test('take turns: the third waits, says for whom, and comes in at once for one that was killed', async () => {
      const {settings, slowSettings} = fixture
      const repos = [await repoOf(1, slowSettings), await repoOf(2, slowSettings)] as const
      const third = await repoOf(3, slowSettings)
      await using reader = await FeatureStore.open(third.folder)
      const some = Array.from({length: 50}, (_, at) => Math.floor((at * fixture.drivers) / 50))
      const isWriting = async (): Promise<boolean> => (await third.readVersions(reader, some)).includes(3)
      const impatient = await repoOf(4, {...settings, write: {lock_timeout: '1s'}})

      const [one, other] = repos.map(startRun) as [Run, Run]
      await until(async () => (await holders()).length === 2)
      const waiting = startRun(third)
      await until(() => Promise.resolve(waiting.said().includes('turn to write')))
      for (const {child} of [one, other]) expect(waiting.said()).toContain(`process ${String(child.pid)} on`)

      // One that can't wait is told who is there.
      const refused = await runFs(['materialize-incremental', '-C', impatient.folder])
      expect(refused.code).toBe(1)
      const said = refused.stdout + refused.stderr
      expect(said).toContain('FS_STORE_BUSY')
      for (const {child} of [one, other]) expect(said).toContain(`process ${String(child.pid)} on`)

      expect(await isWriting()).toBe(false)
      expect(new Set(await holders())).toEqual(new Set([one.child.pid, other.child.pid]))
      one.child.kill('SIGKILL')
      await one.ended
      await until(isWriting)
      expect(new Set(await holders())).toEqual(new Set([other.child.pid, waiting.child.pid]))

      for (const run of [other, waiting]) {
        run.child.kill('SIGKILL')
        await run.ended
      }
      const last = await repoOf(5, settings)
      expect(await runFs(['materialize-incremental', '-C', last.folder])).toMatchObject({code: 0})
      expect(await holders()).toEqual([])
      await using lastReader = await FeatureStore.open(last.folder)
      expect(await last.readAllVersions(lastReader)).toEqual(new Set([5]))
    })

    test('get the place of one on another machine when its lease ends, and it writes no more', async () => {
      const request = (run: number): PlaceRequest => ({
        runId: `run-${run}`,
        process: {host: `machine-${run}`, pid: 1, bootId: '', startedAt: ''},
        isAlive: () => undefined,
        places: 1,
        timeout: 30_000_000n,
        leaseMillis: 2000,
      })
      let isCutOff = false
      const note: SharedNote = {
        read: () => (isCutOff ? Promise.reject(new Error('cut off')) : fixture.note.read()),
        replace: (expected, text) => fixture.note.replace(expected, text),
      }
      await using lost = await WritePlace.take(note, request(1))
      // As long as it reaches the store it keeps its place.
      await sleep(2500)
      lost.check()
      isCutOff = true
      await using next = await WritePlace.take(fixture.note, request(2))
      next.check()
      expect(() => lost.check()).toThrow(expect.objectContaining({code: 'FS_LEASE_LOST'}))
    })
  })
}
