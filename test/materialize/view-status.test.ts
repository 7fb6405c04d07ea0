import {afterEach, beforeEach, expect, test} from 'vitest'
import {viewStatuses} from '../../src/materialize/view-status.js'
import {day, Project} from './project.js'

const now = 1000n * day
let project: Project
beforeEach(async () => {
  project = await Project.create({history: {online: false}, stats: {}})
})
afterEach(() => project[Symbol.asyncDispose]())

test('the status of a view says what is online and how it came there', async () => {
  await project.writeSource('stats', [
    {driver: 1n, event: now - day, trips: 5n},
    {driver: 2n, event: now, trips: 6n},
  ])
  const run = await project.load(now)
  const lastRun = (await project.state('stats')).lastRun
  expect(
    await viewStatuses(
      await project.document(),
      () => Promise.resolve(project.online),
      () => true,
    ),
  ).toEqual([
    {name: 'history', online: false, covered: []},
    {
      name: 'stats',
      online: true,
      covered: [{start: null, end: now}],
      newestEventTimestamp: now,
      rows: 2,
      lastRun,
      lease: undefined,
    },
  ])
  expect(lastRun?.runId).toBe(run.id)
})

test('the online store stays closed when no view is in it', async () => {
  await project.apply({history: {online: false}})
  const statuses = await viewStatuses(
    await project.document(),
    () => Promise.reject(new Error('opened')),
    () => true,
  )
  expect(statuses).toEqual([{name: 'history', online: false, covered: []}])
})
