import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import type {Instant} from '../../src/definitions/instant.js'
import {day, hour, Project, type SourceRow, type ViewSettings} from './project.js'

/**
 * The identity that everything leans on: after loads in any order, online equals history as of END. History is told by
 * reading semantics.md literally, without SQL.
 */
function historyAsOf(
  rows: readonly SourceRow[],
  end: Instant,
  ttl: bigint | undefined,
  knowledgeTime = false,
): Map<bigint, SourceRow> {
  const newest = new Map<bigint, SourceRow>()
  for (const row of rows) {
    if (row.driver === null || row.event > end || (ttl !== undefined && row.event < end - ttl)) continue
    if (knowledgeTime && (typeof row.created !== 'bigint' || row.created > end)) continue
    const best = newest.get(row.driver)
    if (best === undefined || isAfter(row, best)) newest.set(row.driver, row)
  }
  return newest
}

/** Newer event, then newer created, then larger values; null is smallest. */
function isAfter(a: SourceRow, b: SourceRow): boolean {
  const order = (one: SourceRow) => [one.event, one.created ?? null, one.trips, one.note ?? null]
  for (const [index, left] of order(a).entries()) {
    const right = order(b)[index] ?? null
    if (left === right) continue
    return left !== null && (right === null || left > right)
  }
  return false
}

const drivers = [0n, 1n, 2n, 3n]
const start = 1000n * day
const horizon = 12

/** A time near a full hour, so that edges are hit to the microsecond. */
const anyTime = fc
  .tuple(fc.integer({min: 0, max: horizon}), fc.constantFrom(-1n, 0n, 0n, 0n, 1n))
  .map(([hours, micros]) => start + BigInt(hours) * hour + micros)

const anyValues = fc.record({
  trips: fc.option(fc.bigInt({min: -3n, max: 3n})),
  note: fc.option(fc.constantFrom('a', 'b')),
})

const anyLoad = fc.oneof(
  fc.record({kind: fc.constant('incremental' as const), end: anyTime}),
  fc.record({
    kind: fc.constant('materialize' as const),
    start: fc.option(anyTime),
    hours: fc.integer({min: 1, max: horizon}),
  }),
)

type Load = typeof anyLoad extends fc.Arbitrary<infer T> ? T : never

const end = start + BigInt(horizon) * hour

async function load(project: Project, step: Load): Promise<void> {
  if (step.kind === 'materialize' && step.start !== null && step.start >= end) return
  const run =
    step.kind === 'incremental'
      ? await project.load(step.end < end ? step.end : end)
      : await project.run({
          command: 'materialize',
          start: step.start,
          end: (step.start ?? start) + BigInt(step.hours) * hour,
          now: () => end,
        })
  expect(run).toMatchObject({status: 'ok'})
}

async function expectHistory(
  project: Project,
  rows: readonly SourceRow[],
  asOf: Instant,
  ttl: bigint | undefined,
  knowledgeTime = false,
) {
  const online = await project.read('stats', drivers)
  const served = [...online].filter(([, row]) => ttl === undefined || row.eventTimestamp >= asOf - ttl)
  const history = [...historyAsOf(rows, asOf, ttl, knowledgeTime)].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(served.map(([driver, row]) => ({driver, at: row.eventTimestamp, values: row.values}))).toEqual(
    history.map(([driver, row]) => ({driver, at: row.event, values: [row.trips, row.note ?? null]})),
  )
}

async function withProject(settings: ViewSettings, use: (project: Project) => Promise<void>): Promise<void> {
  const project = await Project.create({stats: settings})
  try {
    await use(project)
  } finally {
    await project[Symbol.asyncDispose]()
  }
}

describe('after loads in any order, online equals history as of END', () => {
  test('with a created timestamp: late rows and corrections of any event time', async () => {
    const anyRow = fc.record({
      driver: fc.constantFrom(...drivers),
      event: anyTime,
      /** After the rows of the step before, or in the very same instant as the last of them. */
      createdAfter: fc.integer({min: 0, max: 2}),
      values: anyValues,
    })
    const anyStep = fc.record({rows: fc.array(anyRow, {maxLength: 6}), load: anyLoad})
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(3n * hour, 8n * hour)),
        fc.array(anyStep, {minLength: 1, maxLength: 5}),
        async (ttl, steps) =>
          withProject(ttl === null ? {} : {ttl}, async (project) => {
            const rows: SourceRow[] = []
            let created = start
            for (const step of steps) {
              const from = created
              for (const {driver, event, createdAfter, values} of step.rows) {
                const at = from + BigInt(createdAfter)
                rows.push({driver, event, created: at, ...values})
                if (at > created) created = at
              }
              await project.writeSource('stats', rows)
              await load(project, step.load)
            }
            await load(project, {kind: 'incremental', end})
            await expectHistory(project, rows, end, ttl ?? undefined)
          }),
      ),
      {numRuns: 40},
    )
  })

  test('with knowledge time: what is created after END is not known before a later END', async () => {
    const anyRow = fc.record({
      driver: fc.constantFrom(...drivers),
      event: anyTime,
      created: fc.option(anyTime),
      values: anyValues,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(3n * hour, 8n * hour)),
        fc.array(anyRow, {maxLength: 12}),
        fc.array(anyLoad, {minLength: 1, maxLength: 5}),
        async (ttl, anyRows, loads) =>
          withProject({...(ttl === null ? {} : {ttl}), knowledgeTime: true}, async (project) => {
            const rows: SourceRow[] = anyRows.map(({values, created, ...row}) => ({
              ...row,
              ...values,
              created,
            }))
            await project.writeSource('stats', rows)
            let latest = 0n
            for (const step of [...loads, {kind: 'incremental' as const, end}]) {
              await load(project, step)
              const at =
                step.kind === 'incremental' ? step.end : (step.start ?? start) + BigInt(step.hours) * hour
              if (step.kind === 'incremental' && at >= latest && at <= end)
                await expectHistory(project, rows, at, ttl ?? undefined, true)
              if (at > latest) latest = at
            }
          }),
      ),
      {numRuns: 60},
    )
  })

  test('without one: rows that come late by less than the lateness, and holes', async () => {
    const lateness = 3n * hour
    const anyStep = fc.record({
      rows: fc.array(fc.record({driver: fc.constantFrom(...drivers), event: anyTime, values: anyValues}), {
        maxLength: 6,
      }),
      load: anyLoad,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(3n * hour, 8n * hour)),
        fc.array(anyStep, {minLength: 1, maxLength: 5}),
        async (ttl, steps) =>
          withProject({created: false, lateness, ...(ttl === null ? {} : {ttl})}, async (project) => {
            const rows: SourceRow[] = []
            for (const step of steps) {
              const {covered} = await project.state('stats')
              const watermark = covered.at(-1)?.end
              for (const {driver, event, values} of step.rows) {
                if (watermark === undefined || event > watermark - lateness)
                  rows.push({driver, event, ...values})
              }
              await project.writeSource('stats', rows)
              // A run moves the watermark: what came late before it must have been read by an incremental one.
              if (step.load.kind === 'materialize' && watermark !== undefined)
                await load(project, {kind: 'incremental', end: watermark})
              await load(project, step.load)
            }
            await load(project, {kind: 'incremental', end})
            await expectHistory(project, rows, end, ttl ?? undefined)
          }),
      ),
      {numRuns: 30},
    )
  })
})
