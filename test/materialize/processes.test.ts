/** Loads in processes of their own: killed, at once, and while something else is applied. */
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {bundleFixture, startFixture, type Fixture} from '../registry/start-fixture.js'
import {day, Project} from './project.js'

const now = 1000n * day
const many = 200_000

let loadOnce: string
let project: Project
let fixtures: Fixture[]

beforeAll(async () => {
  loadOnce = await bundleFixture(new URL('fixtures/load-once.ts', import.meta.url))
})
beforeEach(async () => {
  fixtures = []
  project = await Project.create({stats: {}})
  await project.writeManyDrivers('stats', many, now)
})
afterEach(async () => {
  await Promise.all(fixtures.map((fixture) => fixture.kill()))
  await project[Symbol.asyncDispose]()
})

function startLoad(
  end: bigint,
  options: {readonly waitMicros?: number; readonly runs?: number} = {},
): Fixture {
  const fixture = startFixture(loadOnce, [project.directory, String(end), JSON.stringify(options)])
  fixtures.push(fixture)
  return fixture
}

async function expectAllOnline(): Promise<void> {
  const drivers = Array.from({length: many}, (_, index) => BigInt(index))
  const online = await project.read('stats', drivers)
  expect(online.size).toBe(many)
  expect([...online].every(([driver, row]) => row.values[0] === driver * 10n)).toBe(true)
}

describe('a load that is killed in the middle', () => {
  test('leaves nothing stuck: the next one takes over at once and loads all', async () => {
    const killed = startLoad(now)
    await killed.printed('stats writing')
    await killed.kill()
    expect(await project.state('stats')).toMatchObject({
      covered: [],
      lease: {holder: {pid: killed.child.pid}},
    })
    expect((await project.document()).runs).toMatchObject([{status: 'running'}])

    const run = await project.load(now)
    expect(run).toMatchObject({
      status: 'ok',
      views: [{intervals: [{start: null, end: now}], rows: {read: many}}],
    })
    // What the killed one wrote is the same, and stays.
    expect(run.views[0]?.rows.unchanged).toBeGreaterThan(0)
    await expectAllOnline()
    expect((await project.document()).runs).toMatchObject([
      {id: run.id, status: 'ok'},
      {status: 'failed', views: [{status: 'failed', error: {code: 'FS_INTERRUPTED'}}]},
    ])
  })
})

test('loads that are killed at any moment, one after the other, are made up for by the next', async () => {
  for (let killed = 0; killed < 8; killed += 1) {
    const fixture = startLoad(now)
    await Promise.race([fixture.ended, sleep(Math.random() * 900)])
    await fixture.kill()
  }
  expect(await project.load(now)).toMatchObject({status: 'ok'})
  expect((await project.state('stats')).covered).toEqual([{start: null, end: now}])
  await expectAllOnline()
  const {runs} = await project.document()
  expect(runs.filter((run) => run.status === 'running')).toEqual([])
})

describe('two loads of one view at once', () => {
  test('the second says who holds the view, and the first goes on', async () => {
    const first = startLoad(now)
    await first.printed('stats writing')
    first.child.kill('SIGSTOP')
    const second = await project.load(now)
    expect(second.views[0]).toMatchObject({status: 'failed', error: {code: 'FS_VIEW_BUSY'}})
    expect(second.views[0]?.error?.message).toContain(`process ${String(first.child.pid)} on `)
    first.child.kill('SIGCONT')
    expect(await first.ended).toBe(0)
    expect(first.lines.at(-1)).toMatch(/ ok$/)
    await expectAllOnline()
  })

  test('the second waits when it was told to, and finds nothing left to do', async () => {
    const first = startLoad(now)
    await first.printed('stats writing')
    first.child.kill('SIGSTOP')
    const second = startLoad(now, {waitMicros: 60_000_000})
    await second.printed('stats waiting')
    first.child.kill('SIGCONT')
    expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0])
    expect(second.lines.at(-1)).toMatch(/ ok$/)
    const {runs} = await project.document()
    expect(runs.map((run) => run.views[0]?.rows.read)).toEqual([0, many])
  })
})

test('loads and other changes of the registry at once lose nothing', async () => {
  await project.writeManyDrivers('stats', 10, now)
  const updateMany = await bundleFixture(new URL('../registry/fixtures/update-many.ts', import.meta.url))
  const names = Array.from({length: 100}, (_, index) => `other_${index}`)
  const updates = startFixture(updateMany, [
    `${project.directory}/registry.json`,
    'other',
    String(names.length),
  ])
  fixtures.push(updates)
  const loads = [
    startLoad(now, {runs: 10, waitMicros: 60_000_000}),
    startLoad(now, {runs: 10, waitMicros: 60_000_000}),
  ]
  expect(await Promise.all([updates, ...loads].map((fixture) => fixture.ended))).toEqual([0, 0, 0])

  const {pendingDrops, runs, views} = await project.document()
  expect(pendingDrops).toEqual(names)
  expect(runs.map((run) => run.status)).toEqual(Array.from({length: 20}, () => 'ok'))
  expect(views['stats']?.covered).toEqual([{start: null, end: now + 9n}])
  expect(views['stats']).not.toHaveProperty('lease')
})
