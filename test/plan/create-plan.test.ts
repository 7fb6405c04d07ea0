import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {
  addressOf,
  collectDefinitions,
  listDefinitions,
  noDefinitions,
  type DataSource,
  type Definition,
  type Definitions,
} from '../../src/definitions/definition.js'
import {formatDefinition, parseDefinition, type PlainDefinition} from '../../src/definitions/snake-case.js'
import {createPlan} from '../../src/plan/create-plan.js'
import {formatPlan, parsePlan, type Change, type FieldChange} from '../../src/plan/plan.js'
import {arbitraryDefinitions} from './arbitrary-definitions.js'
import {
  activity,
  daily,
  documentOf,
  driver,
  loaded,
  loadedRides,
  rides,
  ridesWith,
  stats,
  totals,
  trips,
} from './rides.js'

describe('createPlan', () => {
  it('finds nothing to do between equal definitions', () => {
    fc.assert(
      fc.property(arbitraryDefinitions(), (definitions) => {
        const again = collectDefinitions(
          listDefinitions(definitions).map(formatDefinition).map(parseDefinition),
        )
        expect(createPlan(again, documentOf(definitions)).changes).toEqual([])
      }),
    )
  })

  it('says all that changes, so that the changes alone lead from one to the other', () => {
    fc.assert(
      fc.property(arbitraryDefinitions(), arbitraryDefinitions(), (before, after) => {
        const {changes} = createPlan(after, documentOf(before))
        expect(applied(before, changes)).toEqual(plainOf(after))
      }),
      {numRuns: 300},
    )
  })

  it('creates each definition after, and deletes it before, what it refers to', () => {
    fc.assert(
      fc.property(arbitraryDefinitions(), arbitraryDefinitions(), (before, after) => {
        const {changes} = createPlan(after, documentOf(before))
        const place = new Map(changes.map((change, index) => [change.address, {op: change.op, index}]))
        for (const definition of [...listDefinitions(before), ...listDefinitions(after)]) {
          const own = place.get(addressOf(definition))
          if (own === undefined) continue
          for (const address of referencesOf(definition)) {
            const other = place.get(address)
            if (other?.op === 'create' && own.op === 'create') expect(own.index).toBeGreaterThan(other.index)
            if (other?.op === 'delete' && own.op === 'delete') expect(own.index).toBeLessThan(other.index)
          }
        }
      }),
    )
  })

  it('survives its file', () => {
    fc.assert(
      fc.property(arbitraryDefinitions(), arbitraryDefinitions(), (before, after) => {
        const plan = createPlan(after, documentOf(before))
        expect(parsePlan(formatPlan(plan), 'plan.json')).toEqual(plan)
      }),
    )
  })

  it('has a base that only definitions change', () => {
    const {baseRevision} = createPlan(rides, loadedRides)
    expect(createPlan(noDefinitions, documentOf(rides)).baseRevision).toBe(baseRevision)
    expect(createPlan(rides, documentOf(ridesWith([{...stats, ttl: 1n}]))).baseRevision).not.toBe(
      baseRevision,
    )
    expect(createPlan(rides, {...loadedRides, project: 'other'}).baseRevision).not.toBe(baseRevision)
  })
})

describe('fields of a change', () => {
  it('go by names and say the YAML form', () => {
    const changed = {
      ...stats,
      ttl: 172_800_000_000n,
      tags: {team: 'supply'},
      schema: [
        {name: 'conv_rate', valueType: 'float32' as const},
        {name: 'trips_today', valueType: 'int64' as const, description: 'So far.'},
        {name: 'rating', valueType: 'decimal(3,2)' as const},
      ],
    }
    expect(
      fieldsOf(createPlan(ridesWith([changed]), documentOf(rides)).changes, 'feature_view/stats'),
    ).toEqual([
      {path: 'tags', before: undefined, after: {team: 'supply'}},
      {path: 'ttl', before: '1d', after: '2d'},
      {path: 'schema.conv_rate.dtype', before: 'float64', after: 'float32'},
      {path: 'schema.trips_today.description', before: undefined, after: 'So far.'},
      {path: 'schema.rating', before: undefined, after: {name: 'rating', dtype: 'decimal(3,2)'}},
      {path: 'schema.acc_rate', before: {name: 'acc_rate', dtype: 'float64'}, after: undefined},
    ])
  })

  it('show an order that changed', () => {
    const changed = {...stats, schema: [...stats.schema].reverse()}
    expect(
      fieldsOf(createPlan(ridesWith([changed]), documentOf(rides)).changes, 'feature_view/stats'),
    ).toEqual([
      {
        path: 'schema',
        before: ['conv_rate', 'acc_rate', 'trips_today'],
        after: ['trips_today', 'acc_rate', 'conv_rate'],
      },
    ])
  })

  it('name the projections of a service by their views', () => {
    const changed = {
      ...activity,
      features: [
        {
          view: 'stats',
          features: [
            {name: 'conv_rate', alias: 'cr'},
            {name: 'acc_rate', alias: 'ar'},
          ],
        },
        {view: 'totals', joinKeyMap: {driver_id: 'other_id'}},
      ],
    }
    expect(
      fieldsOf(createPlan(ridesWith([changed]), documentOf(rides)).changes, 'feature_service/activity'),
    ).toEqual([
      {path: 'features.stats.features.conv_rate.alias', before: undefined, after: 'cr'},
      {path: 'features.totals.join_key_map', before: undefined, after: {driver_id: 'other_id'}},
    ])
  })
})

describe('impact of a change', () => {
  const field = (name: string, valueType: 'float64' | 'int64' | 'string' = 'float64') => ({name, valueType})
  const trips2: DataSource = {...trips, name: 'trips2', path: 'data/new.parquet'}
  const {createdTimestampColumn: _created, ...undated} = trips
  const {ttl: _ttl, ...everlasting} = stats

  it.each<[string, Definitions, readonly string[]]>([
    ['documentation', ridesWith([{...stats, owner: 'ann'}]), ['update feature_view/stats safe']],
    [
      'documentation of a source',
      ridesWith([{...trips, description: 'All trips.'}]),
      ['update data_source/trips safe'],
    ],
    [
      'a service',
      ridesWith([{...activity, features: [{view: 'stats'}]}]),
      ['update feature_service/activity safe'],
    ],
    ['knowledge_time', ridesWith([{...stats, knowledgeTime: true}]), ['update feature_view/stats safe']],
    ['lateness', ridesWith([{...stats, lateness: 1n}]), ['update feature_view/stats safe']],
    ['a shorter ttl', ridesWith([{...stats, ttl: 1n}]), ['update feature_view/stats safe']],
    ['a longer ttl', ridesWith([{...stats, ttl: 172_800_000_000n}]), ['update feature_view/stats backfill']],
    ['no ttl any more', ridesWith([everlasting]), ['update feature_view/stats backfill']],
    ['a new view', ridesWith([{...stats, name: 'more'}]), ['create feature_view/more safe']],
    [
      'a new feature',
      ridesWith([{...stats, schema: [...stats.schema, field('rating')]}]),
      ['update feature_view/stats backfill'],
    ],
    [
      'a feature less',
      ridesWith([{...stats, schema: stats.schema.slice(0, 2)}]),
      ['update feature_view/stats destroys_data'],
    ],
    [
      'another order of features',
      ridesWith([{...stats, schema: [...stats.schema].reverse()}]),
      ['update feature_view/stats backfill'],
    ],
    [
      'another type',
      ridesWith([{...totals, schema: [field('total', 'int64')]}]),
      ['replace feature_view/totals destroys_data'],
    ],
    [
      'another type of a key',
      ridesWith([{...driver, joinKeys: [{name: 'driver_id', valueType: 'string'}]}]),
      [
        'update entity/driver safe',
        'replace feature_view/stats destroys_data',
        'replace feature_view/totals destroys_data',
      ],
    ],
    [
      'another entity with the same keys',
      ridesWith([
        {...driver, name: 'chauffeur'},
        {...stats, entities: ['chauffeur']},
      ]),
      ['create entity/chauffeur safe', 'update feature_view/stats safe'],
    ],
    [
      'another path of a source, also behind a query',
      ridesWith([{...trips, path: 'data/other.parquet'}]),
      [
        'update data_source/trips safe',
        'update feature_view/stats backfill',
        'update feature_view/totals backfill',
      ],
    ],
    [
      'another query',
      ridesWith([{...daily, query: 'SELECT * FROM trips WHERE ok'}]),
      ['update data_source/daily safe', 'update feature_view/totals backfill'],
    ],
    [
      'another source',
      ridesWith([trips2, {...stats, source: 'trips2'}]),
      ['create data_source/trips2 safe', 'update feature_view/stats backfill'],
    ],
    [
      'another mapping',
      ridesWith([{...trips, fieldMapping: {conv: 'conv_rate'}}]),
      [
        'update data_source/trips safe',
        'update feature_view/stats backfill',
        'update feature_view/totals backfill',
      ],
    ],
    [
      'another event time',
      ridesWith([{...trips, timestampField: 'requested_at'}]),
      [
        'update data_source/trips safe',
        'replace feature_view/stats destroys_data',
        'update feature_view/totals backfill',
      ],
    ],
    [
      'another column mapped to the event time',
      ridesWith([{...daily, fieldMapping: {requested_at: 'event_timestamp'}}]),
      ['update data_source/daily safe', 'replace feature_view/totals destroys_data'],
    ],
    [
      'no created time any more',
      ridesWith([undated]),
      [
        'update data_source/trips safe',
        'replace feature_view/stats destroys_data',
        'update feature_view/totals backfill',
      ],
    ],
    [
      'a created time where there was none',
      ridesWith([{...daily, createdTimestampColumn: 'created'}]),
      ['update data_source/daily safe', 'update feature_view/totals backfill'],
    ],
    [
      'a view taken offline',
      ridesWith([{...stats, online: false}]),
      ['update feature_view/stats destroys_data'],
    ],
    [
      'a view deleted',
      ridesWith([{...activity, features: [{view: 'totals'}]}], ['feature_view/stats']),
      ['update feature_service/activity safe', 'delete feature_view/stats destroys_data'],
    ],
    [
      'all deleted',
      noDefinitions,
      [
        'delete feature_service/activity safe',
        'delete feature_view/stats destroys_data',
        'delete feature_view/totals destroys_data',
        'delete data_source/daily safe',
        'delete data_source/trips safe',
        'delete entity/driver safe',
      ],
    ],
  ])('%s', (_name, desired, expected) => {
    const {changes} = createPlan(desired, loadedRides)
    expect(summaryOf(changes)).toEqual(expected)
    for (const change of changes) {
      if (change.impact !== 'safe') expect(change.notes).not.toEqual([])
    }
    // Where nothing was loaded, nothing can be lost.
    const unloaded = createPlan(desired, documentOf(rides))
    expect(unloaded.changes.filter((change) => change.impact !== 'safe')).toEqual([])
  })

  it('a view taken online', () => {
    const offline = ridesWith([{...stats, online: false}])
    expect(summaryOf(createPlan(rides, documentOf(offline)).changes)).toEqual([
      'update feature_view/stats backfill',
    ])
  })

  it('counts a run that is at it as rows', () => {
    const lease = {
      runId: 'r2',
      holder: {host: '', pid: 1, bootId: '', startedAt: ''},
      since: 0n,
      expiresAt: 1n,
    }
    const document = documentOf(rides, {
      stats: {table: 'stats', covered: [], lease},
      totals: loaded('totals'),
    })
    expect(summaryOf(createPlan(ridesWith([{...stats, online: false}]), document).changes)).toEqual([
      'update feature_view/stats destroys_data',
    ])
  })

  it('says why, with the names of what changed', () => {
    const {changes} = createPlan(ridesWith([{...trips, path: 'data/other.parquet'}]), loadedRides)
    expect(changes.find((change) => change.address === 'feature_view/totals')?.notes).toEqual([
      'data_source/trips changes (path); rows that only the old one has, or has newer, stay: what was loaded is loaded again',
    ])
  })

  it('says that a view is loaded again that is synced as a whole from now on', () => {
    const {changes} = createPlan(ridesWith([{...totals, sync: 'snapshot'}]), loadedRides)
    expect(changes).toMatchObject([
      {
        impact: 'backfill',
        notes: ['it is synced as a whole from now on: what was loaded is loaded again'],
      },
    ])
  })

  it('says nothing of old rows where a view is synced as a whole', () => {
    const synced = {...totals, sync: 'snapshot'} as const
    const before = ridesWith([synced])
    const document = documentOf(before, {totals: loaded('totals')})
    const {changes} = createPlan(ridesWith([synced, {...trips, path: 'data/other.parquet'}]), document)
    expect(changes.find((change) => change.address === 'feature_view/totals')?.notes).toEqual([
      'data_source/trips changes (path): what was loaded is loaded again',
    ])
  })
})

function summaryOf(changes: readonly Change[]): readonly string[] {
  return changes.map((change) => `${change.op} ${change.address} ${change.impact}`)
}

function fieldsOf(changes: readonly Change[], address: string): readonly FieldChange[] | undefined {
  return changes.find((change) => change.address === address)?.fields
}

function referencesOf(definition: Definition): readonly string[] {
  switch (definition.kind) {
    case 'entity':
    case 'data_source':
      return []
    case 'feature_view':
      return [...definition.entities.map((name) => `entity/${name}`), `data_source/${definition.source}`]
    case 'feature_service':
      return definition.features.map((projection) => `feature_view/${projection.view}`)
    default:
      return definition satisfies never
  }
}

type Plain = Record<string, unknown>

function plainOf(definitions: Definitions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    listDefinitions(definitions).map((one) => [addressOf(one), formatDefinition(one)]),
  )
}

/** Carries out changes on plain data, knowing nothing but what they say. */
function applied(before: Definitions, changes: readonly Change[]): Readonly<Record<string, unknown>> {
  const all = new Map<string, Plain>(
    listDefinitions(before).map((one) => [addressOf(one), structuredClone(formatDefinition(one)) as Plain]),
  )
  for (const {op, address, fields} of changes) {
    if (op === 'delete') {
      all.delete(address)
      continue
    }
    const [kind = '', name = ''] = address.split('/')
    const target = all.get(address) ?? ({kind, name} satisfies PlainDefinition)
    for (const field of fields) set(target, field.path.split('.'), field.after)
    all.set(address, target)
  }
  return Object.fromEntries(all)
}

function set(target: Plain, [key = '', ...rest]: readonly string[], after: unknown): void {
  const current = target[key]
  if (rest.length > 0) {
    target[key] = current ?? (['schema', 'join_keys', 'features'].includes(key) ? [] : {})
    const container = target[key]
    if (Array.isArray(container)) setElement(container as Plain[], rest, after)
    else set(container as Plain, rest, after)
  } else if (after === undefined) {
    Reflect.deleteProperty(target, key)
  } else if (Array.isArray(current) && typeof current[0] === 'object') {
    const elements = current as Plain[]
    target[key] = (after as readonly string[]).map((name) => elements.find((one) => nameOf(one) === name))
  } else {
    target[key] = after
  }
}

function setElement(elements: Plain[], [name = '', ...rest]: readonly string[], after: unknown): void {
  const index = elements.findIndex((one) => nameOf(one) === name)
  if (rest.length > 0) set(elements[index]!, rest, after)
  else if (after === undefined) elements.splice(index, 1)
  else elements.push(after as Plain)
}

function nameOf(element: Plain): unknown {
  return element['name'] ?? element['view']
}
