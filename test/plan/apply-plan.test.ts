import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest'
import {noDefinitions, type Definitions} from '../../src/definitions/definition.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import {applyPlan, type ApplyStep} from '../../src/plan/apply-plan.js'
import {createPlan} from '../../src/plan/create-plan.js'
import {formatPlan, parsePlan, type Plan} from '../../src/plan/plan.js'
import {teardown} from '../../src/plan/teardown.js'
import {openRegistry} from '../../src/registry/drivers.js'
import type {Registry, RegistryDocument, ViewState} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'
import {bundleFixture, startFixture} from '../registry/start-fixture.js'
import {driver, loaded, rides, ridesWith, stats, totals, trips} from './rides.js'
import {scenarios} from './scenarios.js'
import {sampleIdentity} from '../registry/sample-document.js'

let repoDirectory: string
let registry: Registry
let online: OnlineStore | undefined

beforeEach(async () => {
  repoDirectory = await mkdtemp(join(tmpdir(), 'fs-apply-'))
  registry = await openRegistry({location: 'registry.json', project: 'rides', repoDirectory})
})

afterEach(async () => {
  await closeOnline()
  await rm(repoDirectory, {recursive: true})
})

describe('applyPlan', () => {
  it('creates tables, registers, and changes nothing when nothing is left to do', async () => {
    const steps = await apply(rides)
    expect(steps).toEqual(['tables_reserved', 'tables_prepared', 'registered'])
    await expectInLine(rides, ['stats', 'totals'])

    const {revision} = await registry.read()
    const again = await applyPlan({
      plan: createPlan(rides, await currentDocument()),
      registry,
      openOnlineStore: store,
    })
    expect(again.revision).toBe(revision)
    await expectInLine(rides, ['stats', 'totals'])
  })

  it('does not take a table for loaded that was dropped by hand and is made again for a new feature', async () => {
    await apply(rides)
    await load('stats')
    await (await store()).drop(['stats'])
    await apply(scenarios.alter)
    expect((await currentDocument()).views['stats']).toMatchObject({table: 'stats', covered: []})
  })

  it('opens no online store for what touches no table', async () => {
    await apply(rides)
    const desired = ridesWith([
      {...stats, owner: 'ann', online: true},
      {...trips, path: 'other.parquet'},
    ])
    await applyPlan({
      plan: createPlan(desired, await currentDocument()),
      registry,
      openOnlineStore: mustNotOpen,
    })
    expect((await currentDocument()).definitions).toEqual(desired)
  })

  it('keeps the rows of a view that gets a feature, and forgets that they were loaded', async () => {
    await apply(rides)
    await load('stats')
    await apply(scenarios.alter)
    const {views} = await currentDocument()
    const {arrival: _arrival, ...state} = loaded('stats')
    expect(views['stats']).toEqual({...state, covered: []})
    expect(await rowsOf(scenarios.alter, 'stats')).toBe(1)
  })

  it('takes a feature back under its old type, and builds the table anew under another', async () => {
    const without = ridesWith([{...stats, schema: stats.schema.slice(1)}])
    const retyped = ridesWith([
      {...stats, schema: [...stats.schema.slice(1), {name: 'conv_rate', valueType: 'string'}]},
    ])
    await apply(rides)
    await load('stats')
    await apply(without)
    expect((await currentDocument()).views['stats']?.retiredFeatures).toEqual([
      {name: 'conv_rate', valueType: 'float64'},
    ])
    expect(createPlan(retyped, await currentDocument()).changes).toMatchObject([
      {
        op: 'replace',
        impact: 'destroys_data',
        notes: [expect.stringContaining('a conv_rate of type float64')],
      },
    ])
    await apply(rides)
    expect((await currentDocument()).views['stats']?.retiredFeatures).toBeUndefined()
    expect((await currentDocument()).views['stats']?.table).toBe('stats')
  })

  it.each(['replace', 'offline', 'delete'] as const)(
    'drops a table that is being loaded in the place of the old one, with that one: %s',
    async (scenario) => {
      await apply(rides)
      await load('stats')
      await (await store()).prepare([onlineTableOf(stats, rides, 'stats__2')])
      await setState('stats', {...loaded('stats'), replacement: {table: 'stats__2'}})
      await apply(scenarios[scenario])
      expect((await currentDocument()).views['stats']?.replacement).toBeUndefined()
      const left = await (await store()).listTables()
      expect(left).not.toContain('stats')
      expect(left).not.toContain('stats__2')
    },
  )

  it('keeps a table that is being loaded in the place of the old one, and its name', async () => {
    await apply(rides)
    await load('stats')
    const replacement = {table: 'stats__2'}
    await setState('stats', {...loaded('stats'), replacement})
    await apply(scenarios.alter)
    expect((await currentDocument()).views['stats']).toMatchObject({table: 'stats', replacement})
    await apply(ridesWith([{...stats, name: 'stats__2'}]))
    expect((await currentDocument()).views['stats__2']?.table).toBe('stats__2__2')
  })

  it('prepares a table for another order of features, which rows are written in', async () => {
    await apply(rides)
    const reordered = ridesWith([{...stats, schema: [...stats.schema].reverse()}])
    expect(await apply(reordered)).toEqual(['tables_prepared', 'registered'])
  })

  it('gives a view whose key changes a new table, and drops the old one last', async () => {
    await apply(rides)
    await load('stats')
    const tablesAt: Record<string, readonly string[]> = {}
    const plan = createPlan(scenarios.replace, await currentDocument())
    await applyPlan({
      plan,
      registry,
      openOnlineStore: store,
      async onStep(step) {
        tablesAt[step] = [...(await (await store()).listTables())].sort()
        const registered = (await currentDocument()).views['stats']?.table
        expect(registered).toBe(['tables_reserved', 'tables_prepared'].includes(step) ? 'stats' : 'stats__2')
      },
    })
    expect(tablesAt['registered']).toEqual(['stats', 'stats__2', 'totals', 'totals__2'])
    await expectInLine(scenarios.replace, ['stats__2', 'totals__2'])
    expect((await currentDocument()).views['stats']).toEqual({
      table: 'stats__2',
      covered: [],
      lastRun: loaded('stats').lastRun,
    })
  })

  it('drops what went offline or away, and begins anew when it comes back', async () => {
    await apply(rides)
    await load('stats')
    await apply(scenarios.offline)
    await expectInLine(scenarios.offline, ['totals'])
    await apply(rides)
    // A load of the view that it was may still write to the table that it had.
    await expectInLine(rides, ['stats__2', 'totals'])
    expect((await currentDocument()).views['stats']).toEqual({table: 'stats__2', covered: []})
    expect(await rowsOf(rides, 'stats')).toBe(0)
    await apply(noDefinitions)
    await expectInLine(noDefinitions, [])
  })

  it('never takes over a table that the registry does not know', async () => {
    await apply(rides)
    await load('stats')
    await registry.destroy()
    await apply(rides)
    expect((await currentDocument()).views['stats']?.table).toBe('stats__2')
    expect(await rowsOf(rides, 'stats')).toBe(0)
  })

  it('applies a reviewed plan from its file, and the same again', async () => {
    const plan = parsePlan(formatPlan(createPlan(rides, await currentDocument())), 'plan.json')
    const first = await applyPlan({plan, registry, openOnlineStore: store})
    const second = await applyPlan({plan, registry, openOnlineStore: store})
    expect(second.revision).toBe(first.revision)
  })

  it('does not find a plan stale because rows were loaded that it says it costs', async () => {
    await apply(rides)
    await load('stats')
    const plan = createPlan(scenarios.offline, await currentDocument())
    await load('totals')
    await applyPlan({plan, registry, openOnlineStore: store})
    expect((await currentDocument()).views['totals']).toEqual(loaded('totals'))
  })

  it.each<[string, () => Promise<Plan>, string]>([
    [
      'other definitions were registered',
      async () => {
        const plan = createPlan(scenarios.replace, await currentDocument())
        await apply(ridesWith([{...totals, owner: 'ann'}]))
        return plan
      },
      'other definitions were registered',
    ],
    [
      'rows were loaded that it would cost',
      async () => {
        const plan = createPlan(scenarios.offline, await currentDocument())
        await load('stats')
        return plan
      },
      'rows of feature_view/stats were loaded',
    ],
  ])('refuses a plan as stale when %s, and registers nothing', async (_name, arrange, reason) => {
    await apply(rides)
    const plan = await arrange()
    const before = await registry.read()
    await expect(applyPlan({plan, registry, openOnlineStore: store})).rejects.toMatchObject({
      code: 'FS_PLAN_STALE',
      message: expect.stringContaining(reason),
    })
    expect(await registry.read()).toEqual(before)
  })

  it('lets one of two applies win that meet, and takes no table from it', async () => {
    const late = createPlan(rides, await currentDocument())
    let winner: Promise<unknown> | undefined
    await expect(
      applyPlan({
        plan: late,
        registry,
        openOnlineStore: store,
        async onStep(step) {
          if (step === 'tables_prepared') {
            winner ??= apply(ridesWith([{...stats, owner: 'ann'}]))
            await winner
          }
        },
      }),
    ).rejects.toMatchObject({code: 'FS_PLAN_STALE'})
    await expectInLine(ridesWith([{...stats, owner: 'ann'}]), ['stats__2', 'totals__2'])
  })

  it('keeps what a load commits between its steps', async () => {
    await apply(rides)
    await load('stats')
    const plan = createPlan(
      ridesWith([
        {...driver, owner: 'ann'},
        {...totals, schema: [{name: 'total', valueType: 'string'}]},
      ]),
      await currentDocument(),
    )
    const covered = [{start: 0n, end: 2_000_000n}]
    await applyPlan({
      plan,
      registry,
      openOnlineStore: store,
      async onStep(step) {
        if (step === 'tables_prepared') await setState('stats', {...loaded('stats'), covered})
      },
    })
    expect((await currentDocument()).views['stats']?.covered).toEqual(covered)
    expect((await currentDocument()).views['totals']?.table).toBe('totals__2')
  })
})

describe('teardown', () => {
  it('removes the tables and the registry of this project, twice, and nothing of another', async () => {
    const strangers = await openStore('deliveries')
    await strangers.prepare([onlineTableOf(stats, rides, 'stats')])
    await strangers[Symbol.asyncDispose]()
    await apply(rides)
    await load('stats')
    await (await store()).prepare([onlineTableOf(stats, rides, 'forgotten')])

    const options = {registry, openOnlineStore: store, isHeld: () => false}
    expect(await teardown(options)).toEqual({tables: ['forgotten', 'stats', 'totals']})
    expect(await teardown(options)).toEqual({tables: []})
    expect((await registry.read()).document.views).toEqual({})
    await closeOnline()
    const theirs = await openStore('deliveries')
    expect(await theirs.listTables()).toEqual(['stats'])
    await theirs[Symbol.asyncDispose]()
  })

  it('waits for no load, and leaves all where it is while one is under way', async () => {
    await apply(rides)
    const lease = {runId: 'run-1', holder: sampleIdentity, since: 0n, expiresAt: 1n}
    await setState('stats', {...loaded('stats'), lease})
    await expect(
      teardown({registry, openOnlineStore: mustNotOpen, isHeld: ({runId}) => runId === 'run-1'}),
    ).rejects.toMatchObject({
      code: 'FS_VIEW_BUSY',
      message: expect.stringContaining('Run run-1 is loading feature_view/stats') as string,
    })
    expect((await currentDocument()).views['stats']?.lease).toEqual(lease)
    expect(await teardown({registry, openOnlineStore: store, isHeld: () => false})).toEqual({
      tables: ['stats', 'totals'],
    })
  })

  it('stops before anything is gone when the registry is of another project', async () => {
    await apply(rides)
    const wrong = await openRegistry({location: 'registry.json', project: 'other', repoDirectory})
    await expect(
      teardown({registry: wrong, openOnlineStore: mustNotOpen, isHeld: () => false}),
    ).rejects.toMatchObject({
      code: 'FS_REGISTRY_PROJECT_MISMATCH',
    })
  })
})

describe('apply between processes', () => {
  const bundles: Record<string, string> = {}

  beforeAll(async () => {
    for (const name of ['apply-once', 'apply-many', 'cover-many']) {
      bundles[name] = await bundleFixture(new URL(`fixtures/${name}.ts`, import.meta.url))
    }
  })

  afterAll(async () => {
    for (const bundle of Object.values(bundles)) await rm(bundle)
  })

  it.each(['create', 'alter', 'replace', 'offline', 'delete'] as const)(
    'is cured by applying again, whatever step it was killed after: %s',
    async (scenario) => {
      const desired = scenarios[scenario]
      let killedAfter = 0
      for (let step = 1; ; step += 1) {
        if (scenario !== 'create') {
          await apply(rides)
          await load('stats', (await currentDocument()).views['stats']?.table)
        }
        await closeOnline()
        const fixture = startFixture(bundles['apply-once']!, [repoDirectory, scenario, step.toString()])
        const end = await fixture.ended
        await apply(desired)
        await expectInLine(desired)
        await teardown({registry, openOnlineStore: store, isHeld: () => false})
        if (end === 0) break
        expect(end).toBe('SIGKILL')
        killedAfter = step
      }
      expect(killedAfter).toBeGreaterThanOrEqual(scenario === 'alter' ? 2 : 3)
    },
  )

  it('loses nothing of 100 applies and 100 loads at once', async () => {
    await apply(rides)
    await closeOnline()
    const fixtures = [
      startFixture(bundles['apply-many']!, [repoDirectory, '100']),
      startFixture(bundles['cover-many']!, [repoDirectory, '100']),
    ]
    expect(await Promise.all(fixtures.map((fixture) => fixture.ended))).toEqual([0, 0])
    const document = await currentDocument()
    expect(document.definitions).toEqual(ridesWith([{...stats, owner: 'owner 99'}]))
    expect(document.views['stats']?.covered).toHaveLength(100)
    expect(document.runs).toHaveLength(100)
  })
})

/** Applies definitions the way the command does; returns the steps that were done. */
async function apply(desired: Definitions): Promise<readonly ApplyStep[]> {
  const steps: ApplyStep[] = []
  await applyPlan({
    plan: createPlan(desired, await currentDocument()),
    registry,
    openOnlineStore: store,
    onStep: (step) => void steps.push(step),
  })
  return steps
}

/** Registry and online store agree, on these definitions, and nothing waits to be done. */
async function expectInLine(desired: Definitions, tables?: readonly string[]): Promise<void> {
  const document = await currentDocument()
  expect(document.definitions).toEqual(desired)
  expect(document.pendingDrops).toEqual([])
  expect(document.reservedTables).toBeUndefined()
  expect(Object.keys(document.views)).toEqual(
    desired.featureViews.filter((view) => view.online).map((view) => view.name),
  )
  const known = Object.values(document.views).map((state) => state.table)
  expect([...(await (await store()).listTables())].sort()).toEqual([...known].sort())
  if (tables !== undefined) expect([...known].sort()).toEqual(tables)
}

async function currentDocument(): Promise<RegistryDocument> {
  return (await registry.read()).document
}

/** Writes a row of `rides` and registers it as loaded. */
async function load(view: 'stats' | 'totals', table: string = view): Promise<void> {
  const definition = view === 'stats' ? stats : totals
  const one = BigInt64Array.of(1n)
  await (
    await store()
  ).write(onlineTableOf(definition, rides, table), {
    rowCount: 1,
    keys: [{type: 'int64', storage: 'int64', values: one}],
    eventTimestamps: {type: 'timestamp', storage: 'int64', values: one},
    createdTimestamps: {type: 'timestamp', storage: 'int64', values: one},
    features: definition.schema.map((field) =>
      field.valueType === 'int64'
        ? {type: 'int64', storage: 'int64', values: one}
        : {type: 'float64', storage: 'float64', values: Float64Array.of(1)},
    ),
  })
  await setState(view, loaded(table))
}

async function setState(view: string, state: ViewState): Promise<void> {
  await updateRegistry(registry, (document) => ({...document, views: {...document.views, [view]: state}}))
}

async function rowsOf(definitions: Definitions, name: string): Promise<number | undefined> {
  const view = definitions.featureViews.find((one) => one.name === name)!
  const {table} = (await currentDocument()).views[name]!
  return (await store()).countRows(onlineTableOf(view, definitions, table))
}

async function store(): Promise<OnlineStore> {
  online ??= await openStore('rides')
  return online
}

function openStore(project: string): Promise<OnlineStore> {
  return openOnlineStore(
    {type: 'embedded', settings: {path: 'online'}},
    {project, repoDirectory, access: 'write'},
  )
}

async function closeOnline(): Promise<void> {
  await online?.[Symbol.asyncDispose]()
  online = undefined
}

function mustNotOpen(): Promise<never> {
  return Promise.reject(new Error('no table has to change'))
}
