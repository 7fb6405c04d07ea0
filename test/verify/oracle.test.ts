import fc from 'fast-check'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {collectDefinitions} from '../../src/definitions/definition.js'
import type {Instant} from '../../src/definitions/instant.js'
import type {Value} from '../../src/definitions/value-type.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import type {RegistryDocument, ViewState} from '../../src/registry/registry.js'
import type {Difference} from '../../src/verify/verification.js'
import {verifyViews} from '../../src/verify/verify-views.js'
import {onlineRows, type TestRow} from '../conformance/online-store.js'
import {columnsOf} from '../support/frames.js'
import {latestPerEntity, type OracleRow, type Row} from '../support/oracle.js'
import {writeParquet} from '../support/parquet.js'

const noon = 1_704_110_400_000_000n
const ttl = 6n
const keyTypes = {zone: 'string', place: 'int64', day: 'date'} as const
const featureTypes = {
  count: 'int64',
  rate: 'float64',
  blob: 'bytes',
  list: 'list<float32>',
  price: 'decimal(20,2)',
  born: 'date',
  moments: 'list<timestamp>',
  doc: 'json',
} as const
const features = columnsOf(featureTypes)

/** Keys that collide when they are joined with or without a separator. */
const keys: readonly Row[] = [
  ['a', 1n, '2024-01-01'],
  ['a', 11n, '2024-01-01'],
  ['a1', 1n, '2024-01-01'],
  ['a', 1n, '1969-12-31'],
  ['', 2n ** 53n + 1n, '2024-01-01'],
]
const anyTime = fc.integer({min: -9, max: 9}).map((micros) => noon + BigInt(micros))
const anyValues = fc
  .tuple(
    fc.option(fc.constantFrom(2n ** 53n, 2n ** 53n + 1n)),
    fc.option(fc.constantFrom(1.5, Infinity, NaN)),
    fc.option(fc.constantFrom(Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 255))),
    fc.option(fc.constantFrom<(number | null)[]>([], [null], [0.5], [NaN, 0.5])),
    fc.option(fc.constantFrom('900719925474099301.10', '-0.01')),
    fc.option(fc.constantFrom('1969-12-31', '2024-02-29')),
    fc.option(fc.constantFrom<(bigint | null)[]>([], [-1n, null])),
    fc.option(fc.constantFrom('{"a":1}', '[]')),
  )
  .map((values): Row => values)
const anyRow = fc.record({
  key: fc.constantFrom(...keys),
  event: anyTime,
  created: fc.option(anyTime),
  values: anyValues,
})
/** For each key what is online: nothing, one of the source's rows, one of them with other values, or any row. */
const anyOnline = fc.array(
  fc.record({
    kind: fc.constantFrom('none', 'source', 'source', 'source', 'changed', 'any'),
    pick: fc.nat(),
    newest: fc.boolean(),
    row: anyRow,
  }),
  {minLength: keys.length, maxLength: keys.length},
)
const anyCovered = fc.constantFrom<ViewState['covered']>(
  [{start: null, end: noon + 5n}],
  [{start: noon - 4n, end: noon + 9n}],
  [
    {start: null, end: noon - 3n},
    {start: noon + 1n, end: noon + 6n},
  ],
)

let directory = ''
let offline: OfflineStore
let online: OnlineStore

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fs-verify-'))
  const at = {project: 'rides', repoDirectory: directory}
  offline = await openOfflineStore({type: 'duckdb', settings: {threads: 1}}, at)
  online = await openOnlineStore({type: 'embedded', settings: {path: 'online'}}, {...at, access: 'write'})
})
afterAll(async () => {
  await online[Symbol.asyncDispose]()
  await offline[Symbol.asyncDispose]()
  await rm(directory, {recursive: true, force: true})
})

let files = 0

async function registered(
  rows: readonly OracleRow[],
  state: Omit<ViewState, 'table'>,
  viewTtl: bigint | undefined,
): Promise<RegistryDocument> {
  const path = `source_${(files += 1)}.parquet`
  await writeParquet(
    join(directory, path),
    columnsOf({...keyTypes, happened: 'timestamp', known: 'timestamp', ...featureTypes}),
    rows.map(({key, event, created, values}) => [...key, event, created, ...values]),
  )
  const definitions = collectDefinitions([
    {kind: 'entity', name: 'zone', joinKeys: [{name: 'zone', valueType: 'string'}]},
    {kind: 'entity', name: 'place', joinKeys: columnsOf({place: 'int64', day: 'date'})},
    {
      kind: 'data_source',
      name: 'source',
      type: 'file',
      path,
      timestampField: 'happened',
      createdTimestampColumn: 'known',
    },
    {
      kind: 'feature_view',
      name: 'stats',
      entities: ['zone', 'place'],
      source: 'source',
      schema: features,
      online: true,
      knowledgeTime: false,
      ...(viewTtl === undefined ? {} : {ttl: viewTtl}),
    },
  ])
  return {
    project: 'rides',
    definitions,
    views: {stats: {table: 'stats', ...state}},
    pendingDrops: [],
    runs: [],
  }
}

async function putOnline(document: RegistryDocument, rows: readonly TestRow[]): Promise<void> {
  const table = onlineTableOf(document.definitions.featureViews[0]!, document.definitions, 'stats')
  await online.drop(['stats'])
  await online.prepare([table])
  await online.write(table, onlineRows(table, rows))
}

const nameOf = (key: Row): string => JSON.stringify(key.map(String))

/** What `verification.ts` says in words, said in loops. */
function verdictOf(
  rows: readonly OracleRow[],
  found: TestRow | undefined,
  {
    covered,
    arrival,
    oldest,
  }: {
    readonly covered: ViewState['covered']
    readonly arrival: {readonly created: Instant; readonly rows: number}
    readonly oldest: Instant | undefined
  },
  all: readonly OracleRow[],
): 'equal' | 'due' | Difference['kind'] {
  const isServed = (event: Instant): boolean => oldest === undefined || event >= oldest
  const [expected] = latestPerEntity(
    rows.filter(({event}) => isServed(event!)),
    features,
    {intervals: covered},
  )
  if (expected === undefined && (found === undefined || !isServed(found.event))) return 'equal'
  const isSame = (row: OracleRow | undefined): boolean => {
    if (row === undefined || found === undefined || row.event !== found.event) return false
    try {
      expect(found.values).toEqual(row.values)
      return true
    } catch {
      return false
    }
  }
  if (isSame(expected)) return 'equal'
  if (found !== undefined && (expected === undefined || found.event > expected.event!)) {
    const atThatTime = rows.filter(({event}) => event === found.event)
    const [source] = latestPerEntity(atThatTime, features, {intervals: [{start: null, end: found.event}]})
    if (source === undefined) return 'extra'
    return isSame(source) ? 'equal' : 'different'
  }
  const created = expected?.created ?? null
  const countNow = all.filter((row) => row.created === arrival.created).length
  const isNew =
    created !== null &&
    (created > arrival.created || (created === arrival.created && countNow !== arrival.rows))
  return isNew ? 'due' : found === undefined ? 'missing' : 'different'
}

test('finds what reading its words literally finds, key by key', async () => {
  const seen: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRow, {maxLength: 25}),
      anyOnline,
      anyCovered,
      fc.record({created: anyTime, rows: fc.integer({min: 0, max: 2})}),
      fc.boolean(),
      fc.boolean(),
      async (rows, wanted, covered, arrival, hasTtl, checksAll) => {
        const now = noon + 5n
        const oldest = hasTtl ? now - ttl : undefined
        const put = wanted.flatMap(({kind, pick, newest, row}, index): TestRow[] => {
          const key = keys[index] as Value[]
          const own = rows.filter((one) => nameOf(one.key) === nameOf(key))
          const selected = newest ? latestPerEntity(own, features, {intervals: covered}) : own
          const source = selected[pick % Math.max(1, selected.length)]
          if (kind === 'none' || (kind !== 'any' && source === undefined)) return []
          if (kind === 'any') return [{...row, key}]
          const values = kind === 'changed' ? row.values : source!.values
          return [{key, event: source!.event!, created: source!.created, values}]
        })
        const document = await registered(rows, {covered, arrival}, hasTtl ? ttl : undefined)
        await putOnline(document, put)
        const view = (
          await verifyViews({
            ...(checksAll ? {} : {sample: {size: 100, seed: 3n}}),
            maxReadsPerSecond: 10_000_000,
            examplesOfKind: 100,
            registry: {read: () => Promise.resolve({revision: '1', document})},
            openOfflineStore: () => Promise.resolve(offline),
            openOnlineStore: () => Promise.resolve(online),
            isHeld: () => false,
            now: () => now,
            clock: () => 0n,
          })
        ).views[0]!
        const verdicts = new Map(
          keys.flatMap((key) => {
            const own = rows.filter((one) => nameOf(one.key) === nameOf(key))
            const isLookedUp = checksAll
              ? own.length > 0
              : own.some(
                  ({event}) =>
                    (oldest === undefined || event >= oldest) &&
                    covered.some(({start, end}) => (start === null || event > start) && event <= end),
                )
            if (!isLookedUp) return []
            const found = put.find((one) => nameOf(one.key) === nameOf(key))
            return [[nameOf(key), verdictOf(own, found, {covered, arrival, oldest}, rows)] as const]
          }),
        )
        const count = (kind: string): number => [...verdicts.values()].filter((one) => one === kind).length
        const sourceless = put.filter(({key}) => !rows.some((one) => nameOf(one.key) === nameOf(key)))
        const unknown = checksAll && !hasTtl ? sourceless.length : 0
        expect(view).toMatchObject({
          checked: verdicts.size + unknown,
          equal: count('equal'),
          due: count('due'),
          missing: count('missing'),
          different: count('different'),
          extra: count('extra') + unknown,
          rejected: 0,
        })
        const examples = view.examples.map(
          ({kind, key}) => [nameOf(key.map(({value}) => value)), kind] as const,
        )
        const differing = [...verdicts].filter(([, verdict]) => verdict !== 'equal' && verdict !== 'due')
        expect(new Map(examples)).toEqual(new Map(differing))
        for (const verdict of verdicts.values()) seen[verdict] = (seen[verdict] ?? 0) + 1
      },
    ),
    {numRuns: 100},
  )
  expect(Object.keys(seen).toSorted()).toEqual(['different', 'due', 'equal', 'extra', 'missing'])
})
