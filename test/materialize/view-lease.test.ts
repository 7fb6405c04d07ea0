import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Lease, RunRecord} from '../../src/registry/registry.js'
import {readProcessIdentity} from '../../src/registry/process-identity.js'
import {leaseDuration, renewLeases} from '../../src/materialize/view-lease.js'
import {day, Project} from './project.js'

const now = 1000n * day
const elsewhere = {host: 'elsewhere', pid: 7, bootId: 'b', startedAt: '1'}
/** On this machine, before its last boot. */
const dead = {...readProcessIdentity(), bootId: 'an earlier one'}
const farAhead = 2n ** 61n
const lease = (holder: Lease['holder'], expiresAt: bigint): Lease => ({
  runId: 'other',
  holder,
  since: now,
  expiresAt,
})

let project: Project
beforeEach(async () => {
  project = await Project.create({a: {}, stats: {}})
  for (const view of ['a', 'stats'])
    await project.writeSource(view, [{driver: 1n, event: now, created: now, trips: 5n}])
})
afterEach(() => project[Symbol.asyncDispose]())

function recordOf(holder: Lease['holder']): RunRecord {
  const rows = {read: 0, written: 0, unchanged: 0, rejected: 0, deleted: 0}
  return {
    id: 'other',
    command: 'materialize-incremental',
    status: 'running',
    holder,
    startedAt: now,
    views: [
      {name: 'a', status: 'ok', intervals: [], rows},
      {name: 'stats', status: 'running', intervals: [], rows},
    ],
  }
}

describe('a view that another run holds', () => {
  test('is busy, and the error says who holds it and since when', async () => {
    await project.changeState('stats', {lease: lease(elsewhere, farAhead)})
    const run = await project.load(now)
    expect(run.views).toMatchObject([
      {name: 'a', status: 'ok'},
      {
        name: 'stats',
        status: 'failed',
        error: {
          code: 'FS_VIEW_BUSY',
          message: 'Run other is loading it: process 7 on elsewhere, since 1972-09-27T00:00:00Z.',
        },
      },
    ])
    expect(await project.state('stats')).toMatchObject({covered: [], lease: {runId: 'other'}})
  })

  test('is waited for, after the views that are free were loaded', async () => {
    await project.changeState('a', {lease: lease(elsewhere, farAhead)})
    const phases: string[] = []
    let released: Promise<void> | undefined
    const run = await project.load(now, {
      parallel: 1,
      wait: day,
      onProgress: ({view, phase}) => {
        phases.push(`${view} ${phase}`)
        if (phase === 'waiting') {
          released ??= project.change((document) => {
            const {lease: _lease, ...free} = document.views['a'] ?? {table: 'a', covered: []}
            return {...document, views: {...document.views, a: free}}
          })
        }
      },
    })
    await released
    expect(run.status).toBe('ok')
    expect(phases.filter((phase) => !phase.endsWith('writing'))).toEqual([
      'stats reading',
      'stats done',
      'a waiting',
      'a reading',
      'a done',
    ])
  })

  test('is no longer waited for when the run is stopped', async () => {
    await project.changeState('stats', {lease: lease(elsewhere, farAhead)})
    const stop = new AbortController()
    const run = await project.load(now, {
      wait: day,
      signal: stop.signal,
      onProgress: ({phase}) => {
        if (phase === 'waiting') stop.abort()
      },
    })
    expect(run.status).toBe('interrupted')
    expect(await project.state('stats')).toMatchObject({lease: {runId: 'other'}})
  })
})

describe('a view is taken over', () => {
  test.each([
    ['from a process of this machine that is gone', dead, farAhead],
    ['when its lease ran out', elsewhere, now],
  ])('%s, and that run is closed', async (_, holder, expiresAt) => {
    await project.change((document) => ({...document, runs: [recordOf(holder)]}))
    await project.changeState('stats', {lease: lease(holder, expiresAt)})
    const run = await project.load(now, {views: ['stats']})
    expect(run.status).toBe('ok')
    const {runs} = await project.document()
    expect(runs.map(({id, status}) => [id, status])).toEqual([
      [run.id, 'ok'],
      ['other', 'failed'],
    ])
    expect(runs[1]?.views).toMatchObject([
      {status: 'ok'},
      {status: 'failed', error: {code: 'FS_INTERRUPTED'}},
    ])
    expect(runs[1]?.finishedAt).toBeGreaterThan(now)
  })

  test('not from a process that lives', async () => {
    await project.change((document) => ({...document, runs: [recordOf(readProcessIdentity())]}))
    await project.changeState('stats', {lease: lease(readProcessIdentity(), farAhead)})
    expect((await project.load(now, {views: ['stats']})).views[0]?.error?.code).toBe('FS_VIEW_BUSY')
    expect((await project.document()).runs[1]?.status).toBe('running')
  })
})

describe('a sign of life', () => {
  const context = {runId: 'mine', process: elsewhere, isAlive: () => true, clock: () => now + day}

  test('puts off the leases of the run, and no others', async () => {
    await project.changeState('a', {lease: {...lease(elsewhere, now), runId: 'mine'}})
    await project.changeState('stats', {lease: lease(elsewhere, now)})
    const {views} = renewLeases(await project.document(), context)
    expect(views['a']?.lease).toMatchObject({since: now, expiresAt: now + day + leaseDuration})
    expect(views['stats']?.lease?.expiresAt).toBe(now)
  })

  test('needs no commit when the run holds nothing', async () => {
    const document = await project.document()
    expect(renewLeases(document, context)).toBe(document)
  })
})

test('a run whose process is gone is closed although it held nothing', async () => {
  await project.change((document) => ({...document, runs: [recordOf(dead)]}))
  await project.load(now)
  expect((await project.document()).runs[1]).toMatchObject({id: 'other', status: 'failed'})
})

test('a run makes few commits: at its start, for each view, at its end', async () => {
  const revisions = new Set<string>()
  const {registry} = project
  const counting: typeof registry = {
    read: () => registry.read(),
    commit: async (document, expected) => {
      const snapshot = await registry.commit(document, expected)
      revisions.add(snapshot.revision)
      return snapshot
    },
    destroy: () => registry.destroy(),
    examine: (clock) => registry.examine(clock),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
  await project.load(now, {registry: counting})
  expect(revisions.size).toBe(4)
})
